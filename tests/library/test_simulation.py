"""Many machines, one store, one user, every fault: what was acknowledged holds. See README.md."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest

from app.kit.owner import Owner
from app.library import bookkeeping
from app.library.delivery import Deliveries
from app.library.erase import Eraser
from app.library.head import Head
from app.library.intent import Intent
from app.library.library import Library
from app.library.log import RecordLog
from app.library.outbox import Effect
from app.library.record import Place
from app.library.retention import Retention
from app.storage.port import StoreUnavailableError
from infra.sources import ROOT
from tests.library.simulation.__main__ import failures, replay, seeds
from tests.library.simulation.scenario import simulate

# Bounds a hang only: a chunk takes minutes where six others want the same core.
pytestmark = pytest.mark.timeout(1800)

SEEDS = seeds(os.environ.get("SIMULATION_SEEDS", "0:2000"))
CHUNK = 100
WATCHED = range(150)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Machines that meet faults warn of them, thousands of times."""
    caplog.set_level("CRITICAL")


@pytest.mark.parametrize("first", SEEDS[::CHUNK])
def test_what_was_acknowledged_holds(first: int) -> None:
    failed = failures(range(first, min(first + CHUNK, SEEDS.stop)))
    assert not failed, "\n".join(f"{replay(each.seed)}  # {each.violations[0]}" for each in failed)


@pytest.mark.parametrize("seed", [3, 71, 438])
def test_a_seed_is_the_same_history_in_any_process(seed: int) -> None:
    here = simulate(seed)
    assert simulate(seed) == here
    for hash_seed in "12":
        there = subprocess.run(
            [sys.executable, *replay(seed).split()[1:]],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert there.stdout.rstrip("\n") == here.history
        assert (there.returncode, there.stderr) == (0, "")


def test_the_line_that_a_failure_prints_replays_it() -> None:
    assert replay(1234) == "python -m tests.library.simulation --seed 1234"


def _unknown_is_success(monkeypatch: pytest.MonkeyPatch) -> None:
    append = RecordLog.append

    async def careless(self: RecordLog, place: Place, body: bytes) -> bytes | None:
        with suppress(StoreUnavailableError):
            return await append(self, place, body)
        return None

    monkeypatch.setattr(RecordLog, "append", careless)


def _repeats_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    note = bookkeeping.note_commit

    def forgetful(db: sqlite3.Connection, version: int, intent: Intent, reply_json: str, at: datetime) -> None:
        note(db, version, replace(intent, idempotency=None), reply_json, at)

    monkeypatch.setattr("app.library.write.note_commit", forgetful)


def _conflicts_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.write.refuse_stale_session", lambda *_: None)


def _refusals_trust_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trusting(self: Library, head: Head) -> bool:
        return True

    monkeypatch.setattr(Library, "_is_newest", trusting)


def _reads_trust_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Library.fresh

    async def trusting(self: Library) -> Head:
        return self.known.head if self.known else await fresh(self)

    monkeypatch.setattr(Library, "fresh", trusting)


def _erasures_write_no_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Eraser, "must_close", lambda *_, **__: False)


def _restores_bring_back_old_bookkeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.library.restore.TABLES", ())


def _effects_are_removed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hasty(self: Deliveries, owner: Owner, effect: Effect) -> None:
        await self._remove(owner, effect)
        await self._carriers[effect.topic](owner, effect.body_json)

    monkeypatch.setattr(Deliveries, "_deliver", hasty)


def _bases_are_buried(monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(self: Retention, first: Place) -> set[int]:
        return set()

    monkeypatch.setattr(Retention, "_bases", careless)


BREAKS: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    _unknown_is_success: "acknowledged_writes_are_there",
    _repeats_are_new: "every_row_was_asked_for_once",
    _conflicts_are_ignored: "unseen_changes_are_conflicts",
    _refusals_trust_the_cache: "refusals_are_up_to_date",
    _reads_trust_the_cache: "fresh_reads_miss_nothing",
    _erasures_write_no_marker: "completed_erasures_leave_nothing",
    _restores_bring_back_old_bookkeeping: "every_commit_is_noted",
    _effects_are_removed_first: "effects_stay_until_they_are_carried_out",
    _bases_are_buried: "the_library_is_readable",
}


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__.strip("_"))
def test_it_can_fail(broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    found = (violation.partition(":")[0] for seed in WATCHED for violation in simulate(seed).violations)
    assert BREAKS[broken] in found


EVENTS = {
    "a machine dies": " dies",
    "a machine freezes": " freezes ",
    "a request is lost": ": request lost",
    "an answer is lost": ": answer lost",
    "the store throttles": ": throttled",
    "the store fails": ": failed",
    "the store fails and does it": ": failed, done",
    "a write comes late": ": late",
    "a write comes twice": ": twice",
    "a read is slow": ": slow back",
    "a record is taken": " create record 2 -> None",
    "a conflict": "status=conflict",
    "a refusal": "status=refused",
    "a 503": "status=unavailable",
    "no answer": "status=unknown",
    "a stale read": "status=stale",
    "a key is used for something else": "reuses_key=True",
    "old records are buried": " has buried ",
    "a version is restored": " has restored ",
    "a restore fails": " stops restoring: storage_unavailable",
    "a library is erased": " has erased: 1 closed",
    "an erasure fails": " stops erasing: ",
    "the user comes back": " erased full",
    "an erasure after an erasure": " has erased: 0 closed",
    "records are deltas": " delta delta",
    "a delta has a new base": " delta full delta",
    "an effect is carried out": " carries out the effect ",
    "an effect fails": " does not carry out the effect ",
    "a job of the system": " system   hears ",
    "four machines": " 4 machines",
    "a third tab": " tab-2 ",
}


@pytest.fixture(scope="module")
def watched() -> str:
    return "\n".join(simulate(seed).history for seed in WATCHED)


@pytest.mark.parametrize("event", EVENTS)
def test_it_happens(event: str, watched: str) -> None:
    assert EVENTS[event] in watched


def test_most_writes_succeed_all_the_same(watched: str) -> None:
    asked, acknowledged = watched.count("kind=write"), watched.count("row=")
    assert acknowledged > 0.3 * asked > 200

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

from app.library import bookkeeping
from app.library.head import Head
from app.library.intent import Intent
from app.library.library import Library
from app.library.log import RecordLog
from app.library.record import Place
from app.storage.port import StoreUnavailableError
from infra.sources import ROOT
from tests.library.simulation.__main__ import failures, replay, seeds
from tests.library.simulation.scenario import simulate

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


BREAKS: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    _unknown_is_success: "acknowledged_writes_are_there",
    _repeats_are_new: "every_row_was_asked_for_once",
    _conflicts_are_ignored: "unseen_changes_are_conflicts",
    _refusals_trust_the_cache: "refusals_are_up_to_date",
    _reads_trust_the_cache: "fresh_reads_miss_nothing",
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

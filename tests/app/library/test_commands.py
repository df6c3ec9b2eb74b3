"""The commands: what they print, what they refuse, and as processes of their own on the R2 stand-in."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from app.kit.clock import rfc3339
from app.library.__main__ import main
from app.library.commands import erase, log, restore, show, verify
from app.library.commands.desk import Consent, Desk
from app.library.commands.table import table
from app.library.intent import Intent
from app.library.record import Place, parse
from app.library.retention import tombstone_of
from app.library.versions import NoSuchVersionError, VersionGivenUpError
from app.settings import R2Settings
from app.storage.objects import R2ObjectStore
from infra.localcloud.r2 import R2
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects
from tests.app.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
BUCKET = "reel-ballers-users"
SECRET = "the-secret-of-r2"
START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LOOK, ASK, DO = Consent(yes=False, dry_run=True), Consent(yes=False, dry_run=False), Consent(yes=True, dry_run=False)


class Bench:
    """A desk on memory; `said` is what was printed, `now` moves an hour with each version."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.now = START
        self.objects.clock = lambda: self.now
        self.said: list[str] = []
        self.desk = Desk(self.objects, KEYS, lambda: self.now, self.said.append)

    async def write(self, *rows: str, session: str = "tab-1") -> None:
        for row in rows:
            await opened(self.objects).commit(OWNER, Intent(session), add(row), Note)
            self.now += timedelta(hours=1)

    def bury(self, number: int) -> None:
        key = KEYS.log_record(OWNER, 0, number)
        record = parse(self.objects.bodies[key], Place(OWNER, 0, number))
        self.objects.bodies[key] = tombstone_of(record.header, record.sha256, with_writers=True)

    def damage(self, number: int) -> None:
        self.objects.bodies[KEYS.log_record(OWNER, 0, number)] = b"x"

    def heard(self) -> str:
        text = "\n".join(self.said)
        self.said.clear()
        return text


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_log_says_of_each_version_when_by_whom_and_how_large(bench: Bench) -> None:
    await bench.write("1", "2")
    await bench.write("3", session="tab-2")
    bench.bury(2)
    assert await log.run(bench.desk, OWNER, 50) == 0
    size = len(bench.objects.bodies[KEYS.log_record(OWNER, 0, 3)])
    head, three, two, one, total = bench.heard().splitlines()
    assert re.split(r"  +", head) == ["version", "time", "kind", "record bytes", "image bytes", "sessions"]
    assert re.split(r"  +", three.strip())[:4] == ["3", "2026-11-22T11:30:00.000Z", "full", f"{size:,}"]
    assert three.endswith("tab-2")
    assert "given up" in two
    assert two.endswith("tab-1")
    assert "2026-11-22T09:30:00.000Z" in one
    assert total.startswith("3 of 3 records of library a/default, ")


async def test_log_reads_no_content(bench: Bench) -> None:
    await bench.write("1", "2", "3")
    bench.objects.calls.clear()
    await log.run(bench.desk, OWNER, 2)
    assert [call for call, _ in bench.objects.calls] == ["list", "peek", "peek"]
    assert "2 of 3 records" in bench.heard()


async def test_log_shows_damage_and_where_generations_change(bench: Bench) -> None:
    await bench.write("1", "2")
    await erase.run(bench.desk, "a", DO, again=False)
    await bench.write("3")
    bench.damage(1)
    bench.heard()
    assert await log.run(bench.desk, OWNER, 50) == 0
    kinds = [re.split(r"  +", line.strip())[2] for line in bench.heard().splitlines()[1:-1]]
    assert kinds == ["full", "erased: ends generation 0", "given up", "damaged"]


async def test_log_of_nothing_tells_of_an_old_database(bench: Bench) -> None:
    assert await log.run(bench.desk, OWNER, 50) == 0
    assert bench.heard() == "library a/default has no version in development/users/a/profiles/default/library/"
    await bench.objects.put(KEYS.legacy_database(OWNER), b"")
    assert await log.run(bench.desk, OWNER, 50) == 0
    assert "becomes version 1 when the library is first opened" in bench.heard()


async def test_show_counts_the_rows_of_a_version(bench: Bench) -> None:
    await bench.write("1", "2", "3")
    assert await show.run(bench.desk, OWNER, 2) == 0
    text = bench.heard()
    assert re.search(r"^games +2$", text, re.MULTILINE)
    assert re.search(r"^version +2$", text, re.MULTILINE)
    assert await show.run(bench.desk, OWNER, None) == 0
    assert re.search(r"^games +3$", bench.heard(), re.MULTILINE)


async def test_show_of_what_is_not_there(bench: Bench) -> None:
    with pytest.raises(NoSuchVersionError):
        await show.run(bench.desk, OWNER, None)
    await bench.write("1", "2")
    with pytest.raises(NoSuchVersionError):
        await show.run(bench.desk, OWNER, 3)
    bench.bury(1)
    with pytest.raises(VersionGivenUpError):
        await show.run(bench.desk, OWNER, 1)


async def test_show_after_an_erasure(bench: Bench) -> None:
    await bench.write("1")
    await erase.run(bench.desk, "a", DO, again=False)
    assert await show.run(bench.desk, OWNER, None) == 0
    assert "the library was erased, and is empty since" in bench.heard()


async def test_verify_ends_with_1_for_damage(bench: Bench) -> None:
    await bench.write("1", "2")
    assert await verify.run(bench.desk, OWNER) == 0
    assert bench.heard() == "library a/default: 2 records read, sound"
    bench.damage(2)
    assert await verify.run(bench.desk, OWNER) == 1
    assert bench.heard().splitlines() == [
        "version 2: record 2 of library a/default does not decode -> run `restore --version 1`",
        "library a/default: 2 records read, 1 findings",
    ]


@pytest.mark.parametrize(("consent", "code", "word"), [(LOOK, 0, "dry run"), (ASK, 1, "refused")])
async def test_restore_does_nothing_without_yes(bench: Bench, consent: Consent, code: int, word: str) -> None:
    await bench.write("1", "2")
    before = dict(bench.objects.bodies)
    assert await restore.run(bench.desk, OWNER, 1, consent) == code
    text = bench.heard()
    assert text.splitlines()[-1].startswith(word)
    assert "version 3 gets the content of 1" in text
    assert re.search(r"^games +2 +1$", text, re.MULTILINE)
    assert not re.search(r"^commits ", text, re.MULTILINE)
    assert bench.objects.bodies == before


async def test_restore_by_number_and_by_time(bench: Bench) -> None:
    await bench.write("1", "2", "3")
    assert await restore.run(bench.desk, OWNER, 2, DO) == 0
    assert bench.said[-1] == "version 4 has the content of version 2; nothing was overwritten"
    assert await read(opened(bench.objects)) == ["1", "2"]
    assert await restore.run(bench.desk, OWNER, START + timedelta(minutes=59), DO) == 0
    assert await read(opened(bench.objects)) == ["1"]


async def test_restore_says_what_cannot_be_had(bench: Bench) -> None:
    await bench.write("1", "2", "3", "4")
    for number in (2, 3):
        bench.bury(number)
    assert await restore.run(bench.desk, OWNER, START + timedelta(minutes=150), LOOK) == 0
    assert "cannot be had because given up: versions 2 to 3\n" in bench.heard()
    bench.damage(4)
    assert await restore.run(bench.desk, OWNER, 1, DO) == 0
    assert "version 4 does not read and stays as it is" in bench.heard()
    assert await read(opened(bench.objects)) == ["1"]


async def test_restore_of_the_newest_is_nothing_to_do(bench: Bench) -> None:
    await bench.write("1")
    before = dict(bench.objects.bodies)
    assert await restore.run(bench.desk, OWNER, bench.now, DO) == 0
    assert "is the newest: there is nothing to restore" in bench.heard()
    assert bench.objects.bodies == before


async def test_restore_of_what_was_erased(bench: Bench) -> None:
    await bench.write("1")
    await erase.run(bench.desk, "a", DO, again=False)
    for wanted in (bench.now, 2):
        with pytest.raises(VersionGivenUpError, match="was erased"):
            await restore.run(bench.desk, OWNER, wanted, LOOK)


@pytest.mark.parametrize(("consent", "code", "word"), [(LOOK, 0, "dry run"), (ASK, 1, "refused")])
async def test_erase_does_nothing_without_yes(bench: Bench, consent: Consent, code: int, word: str) -> None:
    await bench.write("1", "2")
    await bench.objects.put(KEYS.media(OWNER, "m-1"), b"12345")
    before = dict(bench.objects.bodies)
    assert await erase.run(bench.desk, "a", consent, again=False) == code
    lines = bench.heard().splitlines()
    total = sum(map(len, before.values()))
    assert re.split(r"  +", lines[1].strip()) == ["default", "2", "2", "1", f"{total:,}", "erase it"]
    assert lines[-1].startswith(word)
    assert bench.objects.bodies == before


async def test_erase_says_when_to_run_it_again(bench: Bench) -> None:
    await bench.write("1", "2")
    erased_at = bench.now
    assert await erase.run(bench.desk, "a", DO, again=False) == 0
    text = bench.heard()
    assert f"run this again after {rfc3339(erased_at + timedelta(hours=48))}" in text
    assert "the bucket's lifecycle rule ends them" in text
    bench.now += timedelta(hours=48)
    assert await erase.run(bench.desk, "a", DO, again=False) == 0
    text = bench.heard()
    assert f"sweep what was erased at {rfc3339(erased_at)}" in text
    assert "run this again" not in text


async def test_erase_spares_what_is_used_again_and_says_so(bench: Bench) -> None:
    await bench.write("1")
    await erase.run(bench.desk, "a", DO, again=False)
    await bench.write("2")
    bench.heard()
    assert await erase.run(bench.desk, "a", DO, again=False) == 0
    assert "used again since they were erased: default; what is new in them stays, say --again" in bench.heard()
    assert await read(opened(bench.objects)) == ["2"]
    assert await erase.run(bench.desk, "a", DO, again=True) == 0
    assert await read(opened(bench.objects)) == []


async def test_erase_of_nobody(bench: Bench) -> None:
    assert await erase.run(bench.desk, "nobody", ASK, again=False) == 0
    assert bench.heard() == "nothing is stored of user nobody below development/users/nobody/"


def test_a_table_cannot_move_the_cursor() -> None:
    assert list(table(("a", "b"), [("\x1b[2J\n", 1000), ("x", 2)])) == [
        "a          b",
        "?[2J?  1,000",
        "x          2",
    ]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["log"],
        ["log", "--user", "../b"],
        ["log", "--user", "a", "--profile", "x/y"],
        ["show", "--user", "a", "--version", "0"],
        ["restore", "--user", "a"],
        ["restore", "--user", "a", "--version", "1", "--time", "2026-11-22T00:00:00Z"],
        ["restore", "--user", "a", "--time", "2026-11-22T00:00:00"],
        ["restore", "--user", "a", "--time", "yesterday"],
        ["erase", "--user", "a", "--profile", "default"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: python -m app.library" in capsys.readouterr().err


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Store(NamedTuple):
    """The stand-in, and the same objects for the test itself."""

    r2: R2
    objects: R2ObjectStore

    async def command(self, *words: str, **changes: str) -> Ended:
        return await self.python("-m", "app.library", *words, **changes)

    async def python(self, *words: str, **changes: str) -> Ended:
        environment = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "development",
            "R2_ENDPOINT": self.r2.url,
            "R2_BUCKET": BUCKET,
            "R2_ACCESS_KEY_ID": "the-key",
            "R2_SECRET_ACCESS_KEY": SECRET,
            **changes,
        }
        return await run_process(words, environment)


async def run_process(words: Sequence[str], environment: dict[str, str]) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    ended = Ended(process.returncode, out.decode(), err.decode())
    assert SECRET not in ended.out + ended.err
    assert "Traceback" not in ended.err
    return ended


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Store]:
    r2 = R2(tmp_path / "r2")
    try:
        r2.control.create_bucket(BUCKET)
        r2.control.grant("the-key", SECRET, BUCKET, "write")
        await r2.start()
        yield Store(r2, R2ObjectStore(R2Settings(r2.url, BUCKET, "the-key", SecretStr(SECRET))))
    finally:
        await r2.stop()


async def test_the_commands_as_processes(place: Store) -> None:
    for row in "123":
        await opened(place.objects).commit(OWNER, Intent("tab-1"), add(row), Note)
    await place.objects.put(KEYS.media(OWNER, "m-1"), b"video")

    listed = await place.command("log", "--user", "a")
    assert (listed.code, listed.err) == (0, "")
    assert len(listed.out.splitlines()) == 5
    assert "3 of 3 records of library a/default" in listed.out
    shown = await place.command("show", "--user", "a", "--version", "2")
    assert re.search(r"^games +2$", shown.out, re.MULTILINE)

    refused = await place.command("restore", "--user", "a", "--version", "1")
    assert (refused.code, "refused" in refused.out) == (1, True)
    restored = await place.command("restore", "--user", "a", "--version", "1", "--yes")
    assert (restored.code, restored.err) == (0, "")
    assert await read(opened(place.objects)) == ["1"]
    by_time = await place.command("restore", "--user", "a", "--time", "2020-01-01T00:00:00Z", "--yes")
    assert (by_time.code, by_time.out) == (1, "")
    assert by_time.err.startswith("no_such_version: no version from 2020-01-01T00:00:00.000Z or before is kept")
    assert len(by_time.err.splitlines()) == 1

    assert (await place.command("verify", "--user", "a")).out == "library a/default: 4 records read, sound\n"
    await place.objects.put(KEYS.log_record(OWNER, 0, 2), b"")
    verified = await place.command("verify", "--user", "a")
    assert verified.code == 1
    assert [line.partition(":")[0] for line in verified.out.splitlines()] == [
        "version 2",
        "version 3",
        "library a/default",
    ]
    assert "damaged" in (await place.command("log", "--user", "a")).out

    assert (await place.command("erase", "--user", "a")).code == 1
    erased = await place.command("erase", "--user", "a", "--yes")
    assert (erased.code, erased.err) == (0, "")
    assert "1 libraries closed, 4 records overwritten, 1 objects deleted" in erased.out
    assert await read(opened(place.objects)) == []
    assert await place.objects.head(KEYS.media(OWNER, "m-1")) is None
    assert (await place.command("verify", "--user", "a")).code == 0


async def test_a_command_does_not_wait_for_the_interpreter_to_go(place: Store) -> None:
    """Threads of obstore abort a process that they find half torn down: in some of many runs."""
    hook = "import atexit, runpy; atexit.register(print, 'torn down'); "
    ended = await place.python(
        "-c", f"{hook}runpy.run_module('app.library', run_name='__main__')", "log", "--user", "a"
    )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "library a/default has no version in development/users/a/profiles/default/library/\n"


async def test_a_wrong_environment_ends_with_2_and_one_message(place: Store) -> None:
    ended = await place.command("log", "--user", "a", R2_ENDPOINT="")
    assert (ended.code, ended.out) == (2, "")
    assert "R2_ENDPOINT" in ended.err


async def test_a_store_that_refuses_the_key_is_one_line(place: Store) -> None:
    ended = await place.command("log", "--user", "a", R2_ACCESS_KEY_ID="another-key")
    assert ended.code == 1
    assert ended.err.startswith("storage_")
    assert len(ended.err.splitlines()) == 1

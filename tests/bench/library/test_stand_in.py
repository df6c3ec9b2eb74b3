"""The store that is measured against: a process of its own that counts, and refuses a second write of one key."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.library.libraries import Libraries
from app.storage.port import StoreUnavailableError
from bench.library.measured_store import MeasuredStore
from bench.library.session import Desk, Hours, Session
from bench.library.stand_in import StandIn, stand_in
from bench.library.stock import KEYS, SMALL, image_of, stock
from bench.library.uploaded import UploadedLibraries


@pytest.fixture(scope="module")
def r2() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


async def test_it_counts_each_request_once(r2: StandIn) -> None:
    objects = MeasuredStore(r2.settings)
    r2.calls()
    await asyncio.gather(*(objects.create(f"counted/{number}", b"body") for number in range(3)))
    assert await objects.get("counted/0")
    assert await objects.get("counted/none") is None
    assert r2.calls() == 5
    assert r2.calls() == 0


async def test_it_takes_one_write_a_second_of_a_key(r2: StandIn) -> None:
    """Of many that come together: between two of them alone a second may pass on a busy machine."""
    objects = MeasuredStore(r2.settings)
    etag = await objects.create("hot", b"first")
    assert etag
    writes = (objects.replace("hot", b"%d" % number, etag) for number in range(20))
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert any(isinstance(answer, StoreUnavailableError) for answer in answers)
    assert all(answer is None or isinstance(answer, str | StoreUnavailableError) for answer in answers)


async def test_the_measured_store_repeats_what_was_read(r2: StandIn) -> None:
    objects = MeasuredStore(r2.settings)
    desk = await stock(objects, "repeated", SMALL)
    objects.forget()
    libraries = Libraries(objects, KEYS)
    async with libraries.read(desk.owner):
        pass
    await libraries.close()
    reads, received = list(objects.reads), objects.received_bytes
    assert reads
    r2.calls()
    await objects.repeat(reads)
    assert r2.calls() == len(reads)
    assert objects.received_bytes == 2 * received > 0


async def test_the_uploaded_file_holds_what_was_committed(r2: StandIn, tmp_path: Path) -> None:
    objects = MeasuredStore(r2.settings)
    desk = await stock(objects, "uploaded", SMALL)
    file = tmp_path / "database.sqlite"
    file.write_bytes(await image_of(objects, desk.owner))
    uploaded = UploadedLibraries(r2.settings, KEYS, file)
    theirs = Desk(desk.owner, dict(desk.revisions), Hours())
    await Session(uploaded, theirs).change()
    await uploaded.close()
    stored = await objects.get("bench/uploaded/uploaded/1")
    assert stored is not None
    db = sqlite3.connect(":memory:")
    db.deserialize(stored.body)
    assert dict(db.execute("SELECT id, revision FROM clips").fetchall()) == theirs.revisions != desk.revisions


async def test_it_ends_with_its_block() -> None:
    with stand_in() as short:
        await MeasuredStore(short.settings).create("one", b"body")
    with pytest.raises(StoreUnavailableError):
        await MeasuredStore(short.settings).get("one")

"""The libraries that are measured: as large as asked for, the same for a seed, and sound."""

import sqlite3

import pytest

from app.clips import store as clips
from app.library import bookkeeping
from app.library.schema import migrate
from app.reels import store as reels
from bench.library.contents import Contents, contents, image_bytes
from bench.library.stock import KEYS, SMALL, image_of, stock
from tests.app.memory_storage import MemoryObjects

PAGE = 4096


def filled(filling: Contents) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys=ON")
    migrate(db)
    filling.fill(db)
    return db


@pytest.mark.parametrize("size_bytes", [SMALL, 600_000])
def test_it_has_the_size_that_was_asked_for(size_bytes: int) -> None:
    size = image_bytes(filled(contents(size_bytes)))
    assert abs(size - size_bytes) < 6 * PAGE, size


def test_a_seed_makes_the_same_rows_again_and_another_seed_others() -> None:
    again = contents.__wrapped__(SMALL)
    assert again == contents(SMALL)
    assert contents(SMALL, seed=8).clip_ids != again.clip_ids


def test_its_rows_are_read_by_the_domains_and_refer_to_each_other() -> None:
    db = filled(contents(SMALL))
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert {clip.id for clip in clips.find_all(db)} == set(contents(SMALL).clip_ids)
    assert reels.find_all(db)


async def test_a_stocked_library_has_the_size_and_the_answers_of_two_days() -> None:
    objects = MemoryObjects()
    desk = await stock(objects, "a", SMALL)
    image = await image_of(objects, desk.owner)
    assert abs(len(image) - SMALL) < 3 * PAGE, len(image)
    assert all(key.startswith(KEYS.library_prefix(desk.owner)) for key in objects.bodies)
    db = sqlite3.connect(":memory:")
    db.deserialize(image)
    (answers,) = db.execute("SELECT count(*) FROM idempotency").fetchone()
    assert 49 <= answers < 49 + bookkeeping._FORGET_EACH, "they are forgotten together, at most so many commits late"
    assert dict(db.execute("SELECT id, revision FROM clips").fetchall()) == desk.revisions

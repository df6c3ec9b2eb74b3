"""The rows of effects: beside the change that calls for them, or not at all."""

import sqlite3

import pytest

from app.kit.errors import NotFoundError
from app.library import log, outbox
from app.library.image import open_copy
from app.library.intent import Idempotency, Intent
from app.library.outbox import Effect
from app.storage.port import StoreUnavailableError
from tests.app.library.notes import OWNER, Note, add, opened
from tests.app.memory_storage import MemoryObjects

ONCE = Intent("tab-1", idempotency=Idempotency("k", "k"))


def posting(db: sqlite3.Connection) -> Note:
    outbox.post(db, "topic", '{"a": 1}')
    return add("1")(db)


async def due(objects: MemoryObjects) -> list[Effect]:
    async with opened(objects).read(OWNER) as db:
        return outbox.due(db)


def test_effects_come_back_in_the_order_in_which_they_were_posted() -> None:
    db = open_copy(b"")
    for name in "cab":
        outbox.post(db, name, "{}")
    assert [effect.topic for effect in outbox.due(db)] == ["c", "a", "b"]


def test_a_removed_effect_is_gone_and_its_number_is_never_given_again() -> None:
    """Another process may remove it a second time, much later."""
    db = open_copy(b"")
    outbox.post(db, "first", "{}")
    (first,) = outbox.due(db)
    outbox.remove(db, first)
    assert outbox.due(db) == []
    outbox.post(db, "second", "{}")
    outbox.remove(db, first)
    assert [effect.topic for effect in outbox.due(db)] == ["second"]


async def test_an_effect_is_in_the_record_of_the_change(objects: MemoryObjects) -> None:
    await opened(objects).commit(OWNER, ONCE, posting, Note)
    assert len(objects.bodies) == 1
    assert await due(objects) == [Effect(1, "topic", '{"a": 1}')]


async def test_a_refused_change_posts_nothing(objects: MemoryObjects) -> None:
    def refusing(db: sqlite3.Connection) -> Note:
        posting(db)
        raise NotFoundError("no")

    with pytest.raises(NotFoundError):
        await opened(objects).commit(OWNER, ONCE, refusing, Note)
    assert objects.bodies == {}
    await opened(objects).commit(OWNER, ONCE, add("1"), Note)
    assert await due(objects) == []


@pytest.mark.parametrize(("how", "posted"), [("before", 0), ("after", 1)])
async def test_a_change_of_unknown_fate_posts_if_it_landed_and_its_repeat_posts_once(
    objects: MemoryObjects, monkeypatch: pytest.MonkeyPatch, how: str, posted: int
) -> None:
    monkeypatch.setattr(log, "_FIRST_PAUSE_S", 100.0)
    libraries = opened(objects)
    objects.fault = lambda call, key: how if call == "create" else None
    with pytest.raises(StoreUnavailableError):
        await libraries.commit(OWNER, ONCE, posting, Note)
    objects.fault = lambda call, key: None
    assert len(await due(objects)) == posted
    for _ in range(2):
        await libraries.commit(OWNER, ONCE, posting, Note)
    assert len(await due(objects)) == 1


@pytest.fixture
def objects() -> MemoryObjects:
    return MemoryObjects()

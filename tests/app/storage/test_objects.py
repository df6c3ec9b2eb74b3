import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.kit.clock import now
from app.settings import R2Settings
from app.storage.objects import R2ObjectStore
from app.storage.port import ObjectStore, ObjectTooLargeError, Storage, StoreRefusedError, StoreUnavailableError
from infra.localcloud.asgi import AsgiServer, bind
from infra.localcloud.r2 import R2
from tests.app.memory_storage import MemoryObjects

KEY = "development/users/a/profiles/default/library/0/log/0000000000000001"


@pytest.fixture(params=["r2", "memory"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    """One contract for the real adapter and for the one that the other tests use."""
    if request.param == "memory":
        return MemoryObjects()
    storage: Storage = request.getfixturevalue("storage")
    return storage.objects


async def test_what_is_created_is_read_back(objects: ObjectStore) -> None:
    body = bytes(range(256)) * 5000
    etag = await objects.create(KEY, body)
    stored = await objects.get(KEY)
    assert stored is not None
    assert stored.body == body
    assert stored.etag == etag
    info = await objects.head(KEY)
    assert info is not None
    assert info.size_bytes == len(body)


async def test_what_is_not_there_is_none(objects: ObjectStore) -> None:
    assert await objects.get(KEY) is None
    assert await objects.head(KEY) is None
    assert await objects.replace(KEY, b"x", '"0"') is None
    assert await objects.list("nothing/", 10) == []
    await objects.delete(KEY)


async def test_a_key_is_created_once(objects: ObjectStore) -> None:
    created = await asyncio.gather(*(objects.create(KEY, str(n).encode()) for n in range(8)))
    winners = [n for n, etag in enumerate(created) if etag is not None]
    assert len(winners) == 1
    stored = await objects.get(KEY)
    assert stored is not None
    assert stored.body == str(winners[0]).encode()


async def test_replacing_needs_the_version_that_is_there(objects: ObjectStore) -> None:
    first = await objects.create(KEY, b"1")
    assert first is not None
    second = await objects.replace(KEY, b"2", first)
    assert second is not None
    assert await objects.replace(KEY, b"3", first) is None
    stored = await objects.get(KEY)
    assert stored is not None
    assert (stored.body, stored.etag) == (b"2", second)


async def test_listing_is_in_order_and_bounded(objects: ObjectStore) -> None:
    for name in ("c", "a", "b"):
        await objects.create(f"env/jobs/{name}", b"x")
    await objects.create("env/jobsx", b"x")
    assert await objects.list("env/jobs/", 2) == ["env/jobs/a", "env/jobs/b"]
    assert await objects.list("env/jobs/", 10) == ["env/jobs/a", "env/jobs/b", "env/jobs/c"]


async def test_putting_overwrites(objects: ObjectStore) -> None:
    await objects.create(KEY, b"1")
    etag = await objects.put(KEY, b"2")
    stored = await objects.get(KEY)
    assert stored is not None
    assert (stored.body, stored.etag) == (b"2", etag)


async def test_the_beginning_of_an_object_is_read_alone(objects: ObjectStore) -> None:
    await objects.create(KEY, bytes(range(100)))
    assert await objects.peek(KEY, 10) == bytes(range(10))
    assert await objects.peek(KEY, 1000) == bytes(range(100))
    assert await objects.peek(KEY + "0", 10) is None
    await objects.create(KEY + "1", b"")
    assert await objects.peek(KEY + "1", 10) == b""


async def test_a_full_listing_has_sizes_etags_and_times(objects: ObjectStore) -> None:
    begun = now()
    etags = {name: await objects.create(f"env/jobs/{name}", name.encode() * 3) for name in ("b", "a")}
    found = await objects.list_infos("env/jobs/")
    assert [(info.key, info.size_bytes, info.etag) for info in found] == [
        (f"env/jobs/{name}", 3, etags[name]) for name in ("a", "b")
    ]
    assert all(abs(info.modified_at - begun) < timedelta(minutes=1) for info in found)


async def test_more_than_a_page_is_listed(objects: ObjectStore) -> None:
    names = [f"env/many/{number:04d}" for number in range(1005)]
    for start in range(0, len(names), 100):
        await asyncio.gather(*(objects.create(name, b"x") for name in names[start : start + 100]))
    assert [info.key for info in await objects.list_infos("env/many/")] == names


async def test_what_is_larger_than_any_body_of_ours_is_not_read(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.objects.MAX_BODY_BYTES", 10)
    monkeypatch.setattr("tests.app.memory_storage.MAX_BODY_BYTES", 10)
    await objects.create(KEY, bytes(11))
    with pytest.raises(ObjectTooLargeError, match="11 bytes"):
        await objects.get(KEY)
    await objects.create(KEY + "0", bytes(10))
    assert await objects.get(KEY + "0") is not None


async def test_deleted_means_gone(objects: ObjectStore) -> None:
    await objects.create(KEY, b"x")
    await objects.delete(KEY)
    assert await objects.head(KEY) is None
    assert await objects.create(KEY, b"y") is not None


async def test_a_store_that_does_not_listen_is_unavailable() -> None:
    with bind(0) as taken:  # and so nobody else listens there
        port = taken.getsockname()[1]
        objects = R2ObjectStore(R2Settings(f"http://127.0.0.1:{port}", "bucket", "id", SecretStr("secret")))
        with pytest.raises(StoreUnavailableError):
            await objects.create(KEY, b"x")
        with pytest.raises(StoreUnavailableError):
            await objects.get(KEY)


async def test_a_wrong_key_is_refused_and_not_repeated(r2: R2) -> None:
    objects = R2ObjectStore(R2Settings(r2.url, "reel-ballers-users", "the-key", SecretStr("wrong-secret")))
    with pytest.raises(StoreRefusedError) as caught:
        await objects.get(KEY)
    assert "wrong-secret" not in str(caught.value)
    assert len(r2.served) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_an_unclear_answer_to_a_create_is_no_conflict(status: int) -> None:
    """Taking "too many writes of this key" for "exists" would lose a commit."""
    asked = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["method"])
        await PlainTextResponse("later", status)(scope, receive, send)

    server = AsgiServer(answer)
    await server.start()
    try:
        objects = R2ObjectStore(R2Settings(server.url, "bucket", "id", SecretStr("secret")))
        with pytest.raises(StoreUnavailableError):
            await objects.create(KEY, b"x")
    finally:
        await server.stop()
    assert asked == ["PUT"]

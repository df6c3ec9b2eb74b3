from pathlib import Path

import pytest
from pydantic import SecretStr

from app.settings import R2Settings
from app.storage import startup_probe
from app.storage.keys import Keys
from app.storage.objects import R2ObjectStore
from app.storage.port import Storage, StoreUnavailableError
from app.storage.startup_probe import ConditionalWritesError, probe_conditional_writes
from infra.localcloud.r2 import R2
from tests.app.memory_storage import MemoryObjects

KEYS = Keys("development")


class Overwriting(MemoryObjects):
    """A store that ignores `If-None-Match`."""

    async def create(self, key: str, body: bytes) -> str | None:
        self.bodies.pop(key, None)
        return await super().create(key, body)


class Careless(MemoryObjects):
    """A store that ignores `If-Match`."""

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        self.bodies[key] = body
        return "some-etag"


@pytest.mark.parametrize("store", [Overwriting, Careless])
async def test_a_store_without_conditional_writes_is_found_out(store: type[MemoryObjects]) -> None:
    objects = store()
    with pytest.raises(ConditionalWritesError, match="use a bucket with conditional writes"):
        await probe_conditional_writes(objects, KEYS)
    assert objects.bodies == {}


async def test_a_good_store_passes_and_is_left_clean(storage: Storage) -> None:
    await probe_conditional_writes(storage.objects, KEYS)
    assert await storage.objects.list("development/", 10) == []


async def test_throttling_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup_probe, "_PAUSE_S", 0.0)
    objects, failed = MemoryObjects(), set()

    def first_call_fails(call: str, key: str) -> str | None:
        if (call, key) in failed or call not in ("create", "replace"):
            return None
        failed.add((call, key))
        return "before"

    objects.fault = first_call_fails
    await probe_conditional_writes(objects, KEYS)
    assert len(failed) == 3


async def test_a_lost_answer_is_no_proof_of_a_bad_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup_probe, "_PAUSE_S", 0.0)
    objects, failed = MemoryObjects(), set()

    def first_answer_is_lost(call: str, key: str) -> str | None:
        if (call, key) in failed or call != "create":
            return None
        failed.add((call, key))
        return "after"

    objects.fault = first_answer_is_lost
    await probe_conditional_writes(objects, KEYS)


async def test_a_silent_store_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup_probe, "_PAUSE_S", 0.0)
    objects = MemoryObjects()
    objects.fault = lambda call, key: "before"
    with pytest.raises(StoreUnavailableError):
        await probe_conditional_writes(objects, KEYS)


async def test_one_write_a_second_for_each_key_is_enough(tmp_path: Path) -> None:
    r2 = R2(tmp_path / "slow", key_writes_per_second=1)
    try:
        r2.control.create_bucket("bucket")
        r2.control.grant("id", "secret", "bucket", "write")
        await r2.start()
        objects = R2ObjectStore(R2Settings(r2.url, "bucket", "id", SecretStr("secret")))
        await probe_conditional_writes(objects, KEYS)
    finally:
        await r2.stop()

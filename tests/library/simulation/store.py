"""An object store that is linearizable, as R2 is, behind a network that is not kind.

A request takes effect at one moment between call and answer, unless its fate says otherwise: it is lost, its answer is
lost, it arrives twice, or long after its sender gave up. What was sent takes effect also when the sender has died.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from app.storage.port import ListedObject, ObjectInfo, Stored, StoreUnavailableError
from tests.library.simulation.history import History
from tests.library.simulation.loop import VirtualLoop
from tests.library.simulation.weather import Weather

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")
Fate = Literal[
    "fine",
    "request lost",
    "answer lost",
    "throttled",
    "failed",
    "slow there",
    "slow back",
    "failed, done",
    "late",
    "twice",
]
_READ_FATES: tuple[Fate, ...] = ("request lost", "answer lost", "throttled", "failed", "slow there", "slow back")
_WRITE_FATES: tuple[Fate, ...] = (*_READ_FATES, "failed, done", "late", "late", "twice", "twice", "answer lost")
_READS = {"get", "peek", "head", "list", "list_infos"}


class Creation(NamedTuple):
    """An object when it was written where nothing was."""

    at_s: float
    body: bytes


class _Object(NamedTuple):
    body: bytes
    etag: str
    modified_at: datetime


class Store:
    """`created` has for each key what was written where nothing was."""

    def __init__(self, loop: VirtualLoop, rng: random.Random, weather: Weather, history: History) -> None:
        self.loop = loop
        self.created: dict[str, list[Creation]] = {}
        self.calm = False
        self.settled_s = 0.0
        self._rng = rng
        self._weather = weather
        self._history = history
        self._objects: dict[str, _Object] = {}

    def under(self, prefix: str) -> list[str]:
        """Keys, in order."""
        return sorted(key for key in self._objects if key.startswith(prefix))

    def bodies(self) -> dict[str, bytes]:
        return {key: found.body for key, found in self._objects.items()}

    def write(self, key: str, body: bytes) -> str:
        if key not in self._objects:
            self.created.setdefault(key, []).append(Creation(self.loop.world_s, body))
        written_at = EPOCH + timedelta(seconds=self.loop.world_s)
        self._objects[key] = _Object(body, hashlib.md5(body).hexdigest(), written_at)
        return self._objects[key].etag

    def find(self, key: str) -> _Object | None:
        return self._objects.get(key)

    def remove(self, key: str) -> None:
        self._objects.pop(key, None)

    def note(self, who: str, what: str) -> None:
        self._history.note(self.loop.world_s, who, what)

    async def request(self, sender: str, verb: str, key: str, effect: Callable[[], _T]) -> _T:
        """The answer to `effect`, or StoreUnavailableError when the sender does not get to know it."""
        answer = self.loop.create_future()
        fate = self._fate(sender, verb)
        there_s, back_s = self._latency_s(), self._latency_s()
        timeout_s, late_s = self._weather.timeout_s, 0.0
        if fate == "slow there":
            there_s += self._rng.random() * timeout_s * 1.5
        elif fate == "slow back":
            back_s += self._rng.random() * timeout_s * 1.5
        elif fate == "twice":
            self.note("store", f"{sender} {verb} {_short(key)}: twice")
        elif fate == "late":
            late_s = timeout_s + self._rng.expovariate(1 / self._weather.late_s)

        def act(answers: bool) -> None:
            result = effect()
            self.note("store", f"{sender} {verb} {_short(key)} -> {_told(result)}")
            if answers:
                self.loop.call_outside(back_s, settle, result, None)

        def settle(result: Any, error: StoreUnavailableError | None) -> None:
            if not answer.done():
                if error is None:
                    answer.set_result(result)
                else:
                    self.note("store", f"{sender} {verb} {_short(key)}: {fate}")
                    answer.set_exception(error)

        error = StoreUnavailableError(f"{verb} {key}: {fate}")
        self.loop.call_outside(timeout_s, settle, None, error)
        if fate in ("throttled", "failed", "failed, done"):
            self.loop.call_outside(there_s + back_s, settle, None, error)
        if fate == "failed, done":
            there_s = self._rng.random() * 2 * (there_s + back_s)
        if fate not in ("throttled", "failed", "request lost"):
            answers = fate in ("fine", "slow there", "slow back")
            twice_s = [there_s + self._rng.expovariate(1 / self._weather.timeout_s)] if fate == "twice" else []
            heard = self._rng.randrange(2)
            for number, moment_s in enumerate([max(there_s, late_s), *twice_s]):
                self.settled_s = max(self.settled_s, self.loop.world_s + moment_s)
                self.loop.call_outside(moment_s, act, answers or (fate == "twice" and number == heard))
        result: _T = await answer
        return result

    def _fate(self, sender: str, verb: str) -> Fate:
        if self.calm:
            return "fine"
        now_s = self.loop.world_s
        if any(o.start_s <= now_s < o.end_s and o.machine in (None, sender) for o in self._weather.outages):
            return self._rng.choice(("request lost", "failed"))
        if verb in _READS:
            return self._rng.choice(_READ_FATES) if self._rng.random() < self._weather.store_faults else "fine"
        return self._rng.choice(_WRITE_FATES) if self._rng.random() < self._weather.store_faults * 1.5 else "fine"

    def _latency_s(self) -> float:
        return self._weather.latency_s * (0.2 + 0.6 * self._rng.random())


class Link:
    """ObjectStore as one machine has it."""

    def __init__(self, store: Store, machine: str) -> None:
        self._store = store
        self._machine = machine

    async def create(self, key: str, body: bytes) -> str | None:
        return await self._request(
            "create", key, lambda: self._store.write(key, body) if self._store.find(key) is None else None
        )

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        def effect() -> str | None:
            found = self._store.find(key)
            return self._store.write(key, body) if found and found.etag == etag else None

        return await self._request("replace", key, effect)

    async def put(self, key: str, body: bytes) -> str:
        return await self._request("put", key, lambda: self._store.write(key, body))

    async def get(self, key: str) -> Stored | None:
        def effect() -> Stored | None:
            found = self._store.find(key)
            return Stored(found.body, found.etag) if found else None

        return await self._request("get", key, effect)

    async def peek(self, key: str, size_bytes: int) -> bytes | None:
        def effect() -> bytes | None:
            found = self._store.find(key)
            return found.body[:size_bytes] if found else None

        return await self._request("peek", key, effect)

    async def head(self, key: str) -> ObjectInfo | None:
        def effect() -> ObjectInfo | None:
            found = self._store.find(key)
            return ObjectInfo(len(found.body), found.etag) if found else None

        return await self._request("head", key, effect)

    async def delete(self, key: str) -> None:
        return await self._request("delete", key, lambda: self._store.remove(key))

    async def list(self, prefix: str, limit: int) -> list[str]:
        return await self._request("list", prefix, lambda: self._store.under(prefix)[:limit])

    async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
        def effect() -> list[ListedObject]:
            found = [(key, self._store.find(key)) for key in self._store.under(prefix)]
            return [ListedObject(key, len(o.body), o.etag, o.modified_at) for key, o in found if o]

        return await self._request("list_infos", prefix, effect)

    async def _request(self, verb: str, key: str, effect: Callable[[], _T]) -> _T:
        return await self._store.request(self._machine, verb, key, effect)


def _short(key: str) -> str:
    """Records by their number."""
    folder, _, name = key.rpartition("/")
    return f"record {10**16 - int(name)}" if folder.endswith("/log") and name.isdigit() else key


def _told(result: object) -> str:
    if isinstance(result, Stored):
        return f"{len(result.body)} bytes"
    return f"{len(result)} found" if isinstance(result, list) else repr(result)[:48]

"""The production store that also notes what it was asked for and how many bytes went which way."""

from collections.abc import Sequence
from typing import NamedTuple

from app.settings import R2Settings
from app.storage.objects import R2ObjectStore
from app.storage.port import ListedObject, ObjectInfo, Stored


class Read(NamedTuple):
    """A reading call, fit for `MeasuredStore.repeat`."""

    method: str
    arguments: tuple[str | int, ...]


class MeasuredStore(R2ObjectStore):
    """`bodies`: all that was written, `reads`: the reading calls in order, `received_bytes`: what they brought."""

    def __init__(self, settings: R2Settings) -> None:
        super().__init__(settings)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.bodies: list[bytes] = []
        self.reads: list[Read] = []
        self.received_bytes = 0

    async def repeat(self, reads: Sequence[Read]) -> None:
        """The same calls one after the other, and nothing else."""
        for read in reads:
            await getattr(self, read.method)(*read.arguments)

    async def create(self, key: str, body: bytes) -> str | None:
        self.bodies.append(body)
        return await super().create(key, body)

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        self.bodies.append(body)
        return await super().replace(key, body, etag)

    async def put(self, key: str, body: bytes) -> str:
        self.bodies.append(body)
        return await super().put(key, body)

    async def get(self, key: str) -> Stored | None:
        self.reads.append(Read("get", (key,)))
        found = await super().get(key)
        self.received_bytes += len(found.body) if found else 0
        return found

    async def peek(self, key: str, size_bytes: int) -> bytes | None:
        self.reads.append(Read("peek", (key, size_bytes)))
        found = await super().peek(key, size_bytes)
        self.received_bytes += len(found or b"")
        return found

    async def head(self, key: str) -> ObjectInfo | None:
        self.reads.append(Read("head", (key,)))
        return await super().head(key)

    async def list(self, prefix: str, limit: int) -> list[str]:
        self.reads.append(Read("list", (prefix, limit)))
        return await super().list(prefix, limit)

    async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
        self.reads.append(Read("list_infos", (prefix,)))
        return await super().list_infos(prefix)

"""Storage in memory behind the port, with the conditional writes of R2 and faults on demand."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from app.kit.clock import now
from app.storage.port import (
    MAX_BODY_BYTES,
    ListedObject,
    ObjectInfo,
    ObjectTooLargeError,
    PresignedUrl,
    Storage,
    Stored,
    StoreUnavailableError,
    UploadedPart,
    UploadGoneError,
)

Fault = Callable[[str, str], str | None]
"""(call, key) -> None, "before" (fails, nothing happened) or "after" (it happened, the answer is lost)."""


class MemoryObjects:
    """ObjectStore; `fault` decides the fate of each call, `calls` are those that came."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.fault: Fault = lambda call, key: None
        self.times: dict[str, datetime] = {}
        self.clock: Callable[[], datetime] = now

    async def create(self, key: str, body: bytes) -> str | None:
        return self._write("create", key, body, allowed=key not in self.bodies)

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        return self._write("replace", key, body, allowed=key in self.bodies and _etag(self.bodies[key]) == etag)

    async def get(self, key: str) -> Stored | None:
        self._enter("get", key)
        body = self.bodies.get(key)
        if body is not None and len(body) > MAX_BODY_BYTES:
            raise ObjectTooLargeError(f"{key} has {len(body)} bytes, more than {MAX_BODY_BYTES}")
        return Stored(body, _etag(body)) if body is not None else None

    async def put(self, key: str, body: bytes) -> str:
        etag = self._write("put", key, body, allowed=True)
        assert etag is not None
        return etag

    async def peek(self, key: str, size_bytes: int) -> bytes | None:
        self._enter("peek", key)
        body = self.bodies.get(key)
        return body[:size_bytes] if body is not None else None

    async def head(self, key: str) -> ObjectInfo | None:
        self._enter("head", key)
        body = self.bodies.get(key)
        return ObjectInfo(len(body), _etag(body)) if body is not None else None

    async def delete(self, key: str) -> None:
        self._enter("delete", key)
        self.bodies.pop(key, None)

    async def list(self, prefix: str, limit: int) -> list[str]:
        self._enter("list", prefix)
        return sorted(key for key in self.bodies if key.startswith(prefix))[:limit]

    async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
        self._enter("list", prefix)
        return [
            ListedObject(key, len(body), _etag(body), self.times.get(key, self.clock()))
            for key, body in sorted(self.bodies.items())
            if key.startswith(prefix)
        ]

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)

    def _enter(self, call: str, key: str) -> str | None:
        self.calls.append((call, key))
        fate = self.fault(call, key)
        if fate == "before":
            raise StoreUnavailableError(f"{call} {key}: lost on the way")
        return fate

    def _write(self, call: str, key: str, body: bytes, *, allowed: bool) -> str | None:
        fate = self._enter(call, key)
        if allowed:
            self.bodies[key] = body
            self.times[key] = self.clock()
        if fate == "after":
            raise StoreUnavailableError(f"{call} {key}: the answer was lost")
        return _etag(body) if allowed else None


class MemoryUploads:
    """MultipartUploads; a test puts parts with `put`, which a browser does by presigned URL."""

    def __init__(self, objects: MemoryObjects) -> None:
        self._objects = objects
        self.open: dict[str, dict[int, bytes]] = {}

    async def create(self, key: str, content_type: str) -> str:
        upload_id = f"upload-{len(self.open)}-{key.rpartition('/')[2]}"
        self.open[upload_id] = {}
        return upload_id

    async def parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        if upload_id not in self.open:
            raise UploadGoneError(upload_id)
        return [UploadedPart(n, len(body), _etag(body)) for n, body in sorted(self.open[upload_id].items())]

    async def complete(self, key: str, upload_id: str, parts: list[UploadedPart]) -> None:
        if upload_id not in self.open:
            raise UploadGoneError(upload_id)
        stored = self.open.pop(upload_id)
        self._objects.bodies[key] = b"".join(stored[part.part_number] for part in parts)

    async def abort(self, key: str, upload_id: str) -> None:
        self.open.pop(upload_id, None)

    async def warm_up(self) -> None:
        return

    def put(self, upload_id: str, part_number: int, body: bytes) -> str:
        self.open[upload_id][part_number] = body
        return _etag(body)


class PlainUrls:
    """Presigner whose URLs say what they permit; the scheme keeps anyone from opening them."""

    def get(self, key: str, *, lifetime_s: int, filename: str | None = None) -> PresignedUrl:
        return _url(f"memory://get/{key}?filename={filename or ''}", lifetime_s)

    def put(self, key: str, *, lifetime_s: int, content_type: str) -> PresignedUrl:
        return _url(f"memory://put/{key}", lifetime_s)

    def part(self, key: str, upload_id: str, part_number: int, *, lifetime_s: int) -> PresignedUrl:
        return _url(f"memory://part/{upload_id}/{part_number}", lifetime_s)


class MemoryStorage:
    """The three together, as `storage`."""

    def __init__(self) -> None:
        self.objects = MemoryObjects()
        self.uploads = MemoryUploads(self.objects)
        self.storage = Storage(self.objects, self.uploads, PlainUrls())


def _url(url: str, lifetime_s: int) -> PresignedUrl:
    return PresignedUrl(url, now() + timedelta(seconds=lifetime_s))


def _etag(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()

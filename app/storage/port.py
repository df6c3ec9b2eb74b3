"""What the backend needs of an object store, and how it fails. Bodies are small records; video never passes through."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from app.kit.errors import UnavailableError

MAX_BODY_BYTES = 128 * 1024 * 1024


class StoreUnavailableError(UnavailableError):
    """No definite answer (timeout, 5xx, 429, no connection): a write may or may not have happened."""

    code = "storage_unavailable"
    title = "Storage is unavailable"


class StoreRefusedError(UnavailableError):
    """The store answered no (credentials, bucket): repeating does not help, the configuration must change."""

    code = "storage_refused"
    title = "Storage refused the request"
    retry_after_s = 60


class ObjectTooLargeError(StoreRefusedError):
    """Larger than any body that this backend writes; it is not read."""

    code = "object_too_large"
    title = "Object is too large"


class ObjectInfo(NamedTuple):
    size_bytes: int
    etag: str


class ListedObject(NamedTuple):
    """What a listing says of an object; `modified_at` is by the store's clock."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class Stored(NamedTuple):
    """A small object as read: its bytes and the ETag for a later `replace`."""

    body: bytes
    etag: str


class ObjectStore(Protocol):
    """Every call may raise StoreUnavailableError or StoreRefusedError. Writes are tried once."""

    async def create(self, key: str, body: bytes) -> str | None:
        """Write only where nothing is (`If-None-Match: *`); the ETag, or None when the key exists."""

    async def replace(self, key: str, body: bytes, etag: str) -> str | None:
        """Write only over the version `etag` (`If-Match`); the new ETag, or None when the object changed or is gone."""

    async def put(self, key: str, body: bytes) -> str:
        """Write over whatever is there; the ETag."""

    async def get(self, key: str) -> Stored | None:
        """Raises ObjectTooLargeError above MAX_BODY_BYTES."""

    async def peek(self, key: str, size_bytes: int) -> bytes | None:
        """The first `size_bytes`, or all if the object is smaller."""

    async def head(self, key: str) -> ObjectInfo | None: ...

    async def delete(self, key: str) -> None:
        """Deleting what is not there succeeds."""

    async def list(self, prefix: str, limit: int) -> list[str]:
        """The first `limit` keys under `prefix` (ending in `/`), in key order."""

    async def list_infos(self, prefix: str) -> Sequence[ListedObject]:
        """All objects under `prefix` (ending in `/`), in key order; a request for each 1000."""


class UploadGoneError(Exception):
    """The multipart upload is unknown: completed, aborted or expired."""


class PartRefusedError(Exception):
    """The store would not join the parts; the upload stays open."""


class UploadedPart(NamedTuple):
    """`etag` without quotes."""

    part_number: int
    size_bytes: int
    etag: str


class MultipartUploads(Protocol):
    """Control of multipart uploads; the parts themselves go from the browser to presigned URLs."""

    async def create(self, key: str, content_type: str) -> str:
        """The upload id."""

    async def parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        """All parts in order; raises UploadGoneError."""

    async def complete(self, key: str, upload_id: str, parts: list[UploadedPart]) -> None:
        """Raises UploadGoneError or PartRefusedError."""

    async def abort(self, key: str, upload_id: str) -> None:
        """Aborting an unknown upload succeeds."""

    async def warm_up(self) -> None:
        """Pay now what the first call would cost."""


class PresignedUrl(NamedTuple):
    url: str
    expires_at: datetime


class Presigner(Protocol):
    """URLs that let their bearer do one thing with one object until they expire."""

    def get(self, key: str, *, lifetime_s: int, filename: str | None = None) -> PresignedUrl:
        """`filename` makes the browser save the object under this name."""

    def put(self, key: str, *, lifetime_s: int, content_type: str) -> PresignedUrl:
        """The upload must send exactly this Content-Type."""

    def part(self, key: str, upload_id: str, part_number: int, *, lifetime_s: int) -> PresignedUrl: ...


class Storage(NamedTuple):
    """The three sides of one bucket."""

    objects: ObjectStore
    uploads: MultipartUploads
    presign: Presigner

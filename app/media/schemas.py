"""Bodies of `/api/media`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.kit.schema import Request, Response
from app.storage.parts import MAX_PARTS
from gpu.plan.spec import ProbeInfo

MAX_UPLOAD_BYTES = 50 * 10**9
MAX_PART_URLS = 100

PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS)]
MediaStatus = Literal["uploading", "probing", "ready", "failed", "expired"]


def _plain_filename(name: str) -> str:
    if not name.isprintable() or "/" in name or "\\" in name or not name.strip():
        raise ValueError("must be a plain file name, without folders or control characters")
    return name


class NewMedia(Request):
    filename: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain_filename)]
    content_type: Annotated[str, Field(max_length=100, pattern=r"^video/[A-Za-z0-9][A-Za-z0-9.+-]*$")]
    size_bytes: Annotated[int, Field(ge=1, le=MAX_UPLOAD_BYTES)]


class Media(Response):
    """`error` is a sentence for the user when `status` is failed; `probe` is set once it is ready."""

    id: str
    filename: str
    content_type: str
    size_bytes: int
    status: MediaStatus
    error: str | None
    probe: ProbeInfo | None
    created_at: str


class MediaList(Response):
    items: list[Media]


class PartUrl(Response):
    """PUT the bytes of this part here; keep the ETag of the answer."""

    part_number: int
    url: str
    size_bytes: int


class PartUrls(Response):
    parts: list[PartUrl]
    expires_at: str


class Upload(Response):
    """`parts` are the first ones; ask for the others, and for fresh URLs, at `part-urls`."""

    part_size_bytes: int
    part_count: int
    parts: list[PartUrl]
    expires_at: str


class UploadStarted(Response):
    media: Media
    upload: Upload


class PartNumbers(Request):
    part_numbers: Annotated[list[PartNumber], Field(min_length=1, max_length=MAX_PART_URLS)]


class CompletedPart(Request):
    part_number: PartNumber
    etag: Annotated[str, Field(min_length=1, max_length=100)]


class CompletedParts(Request):
    parts: Annotated[list[CompletedPart], Field(min_length=1, max_length=MAX_PARTS)]


class MediaUrl(Response):
    url: str
    expires_at: str

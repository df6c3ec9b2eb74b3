"""The bytes of one log record: magic, header as JSON, frames. Parsing verifies the form or raises.

Layout: b"RBLIB2\\n", 4-byte big-endian header length, header, base frame if any, patch frames.

A record holds an image as a base and the patches since. Kind `full` has the base itself; `delta` (images above 1 MiB)
names the earlier full record that has it. What is left of a record whose content was given up is a `tombstone`: its
header, and the hash of what it was. `erased` ends a generation.
"""

import hashlib
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.kit.owner import Owner
from app.library import blocks, frames
from app.library.errors import NewerSchemaError, UnreadableLibraryError

_MAGIC = b"RBLIB2\n"
_FIRST_MAGIC = b"RBLIB1\n"
_FAMILY = b"RBLIB"
MAX_IMAGE_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_PATCHES = 63
TOMBSTONE_BYTES = 1024

Kind = Literal["full", "delta", "tombstone", "erased"]


class Header(BaseModel):
    """Facts of a record; hashes are SHA-256 in hex, sizes bytes.

    `prev_sha256` is the hash of the record before it ("" for the first); `image_root` the hash of
    `app.library.blocks`; `base_seq` and `base_sha256` say which record has the base ("" for this one).
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    user_id: str
    profile_id: str
    generation: int = Field(ge=0)
    seq: int = Field(gt=0)
    prev_sha256: str
    nonce: str
    writers: tuple[str, ...]
    committed_at: str
    schema_version: int = 0
    image_root: str = ""
    image_bytes: int = Field(default=0, ge=0, le=MAX_IMAGE_BYTES)
    base_seq: int = Field(default=0, ge=0)
    base_sha256: str = ""
    base_bytes: int = Field(default=0, ge=0)
    patch_bytes: tuple[int, ...] = Field(default=(), max_length=MAX_PATCHES)
    buried_sha256: str = ""


class _FirstHeader(BaseModel):
    """Of RBLIB1, the form before this one: the whole image in one frame, hashed as a whole. Read, never written."""

    user_id: str
    profile_id: str
    seq: int = Field(gt=0)
    prev_sha256: str
    nonce: str
    writer: str
    schema_version: int
    image_sha256: str
    image_bytes: int = Field(ge=0, le=MAX_IMAGE_BYTES)
    committed_at: str

    def header(self, frame_bytes: int, image_root: str) -> Header:
        """The same facts in the present form."""
        return Header(
            kind="full",
            user_id=self.user_id,
            profile_id=self.profile_id,
            generation=0,
            seq=self.seq,
            prev_sha256=self.prev_sha256,
            nonce=self.nonce,
            writers=(self.writer,),
            committed_at=self.committed_at,
            schema_version=self.schema_version,
            image_root=image_root,
            image_bytes=self.image_bytes,
            base_seq=self.seq,
            base_bytes=frame_bytes,
        )


class Place(NamedTuple):
    """Where a record is: the number is never given again, in no generation."""

    owner: Owner
    generation: int
    seq: int

    def __str__(self) -> str:
        return f"record {self.seq} of library {self.owner.user_id}/{self.owner.profile_id}"


class Record(NamedTuple):
    """`base` is None where another record has it."""

    header: Header
    sha256: str
    base: bytes | None
    patches: tuple[bytes, ...]


def encode(header: Header, base: bytes | None = None, patches: tuple[bytes, ...] = ()) -> bytes:
    """Of TOMBSTONE_BYTES just when it is a tombstone, so that a listing tells them from what they are left of."""
    head = header.model_dump_json(exclude_defaults=True).encode()
    rest = b"".join((base or b"", *patches))
    size = len(_MAGIC) + 4 + len(head) + len(rest)
    head += b" " * (TOMBSTONE_BYTES - size if header.kind == "tombstone" else size == TOMBSTONE_BYTES)
    return _MAGIC + len(head).to_bytes(4, "big") + head + rest


def parse(body: bytes, place: Place) -> Record:
    """Raises UnreadableLibraryError when anything does not fit, also another owner or number."""
    try:
        text, rest = _split(body)
        header = _of_first_form(text, rest) if body.startswith(_FIRST_MAGIC) else Header.model_validate_json(text)
        base, patches = _frames(header, rest)
    except (ValueError, ValidationError) as error:
        raise UnreadableLibraryError(f"{place} does not decode; restore an earlier version") from error
    _require(header, place)
    return Record(header, hashlib.sha256(body).hexdigest(), base, patches)


def parse_header(start: bytes, place: Place) -> Header:
    """Of a record's first MAX_HEADER_BYTES; raises UnreadableLibraryError."""
    try:
        text, rest = _split(start)
        if start.startswith(_FIRST_MAGIC):
            header = _FirstHeader.model_validate_json(text).header(len(rest), "")
        else:
            header = Header.model_validate_json(text)
    except (ValueError, ValidationError) as error:
        raise UnreadableLibraryError(f"{place} does not decode; restore an earlier version") from error
    _require(header, place)
    return header


def _require(header: Header, place: Place) -> None:
    if (Owner(header.user_id, header.profile_id), header.generation, header.seq) != place:
        raise UnreadableLibraryError(f"{place} belongs elsewhere; restore an earlier version")


def _of_first_form(text: bytes, frame: bytes) -> Header:
    first = _FirstHeader.model_validate_json(text)
    image = frames.decompress(frame, MAX_IMAGE_BYTES)
    if hashlib.sha256(image).hexdigest() != first.image_sha256:
        raise ValueError("an image of another hash")
    return first.header(len(frame), blocks.root_of(blocks.digests_of(image)))


def _split(body: bytes) -> tuple[bytes, bytes]:
    """The header's JSON and what follows it."""
    if not body.startswith((_MAGIC, _FIRST_MAGIC)):
        if body.startswith(_FAMILY):
            raise NewerSchemaError(f"a record has format {body[:6]!r}, this server knows {_MAGIC[:6]!r}")
        raise ValueError("no record")
    start = len(_MAGIC) + 4
    length = int.from_bytes(body[len(_MAGIC) : start], "big")
    if length > MAX_HEADER_BYTES - start:
        raise ValueError(f"a header of {length} bytes")
    return body[start : start + length], body[start + length :]


def _frames(header: Header, rest: bytes) -> tuple[bytes | None, tuple[bytes, ...]]:
    sizes = (header.base_bytes, *header.patch_bytes)
    if min(sizes) < 0 or sum(sizes) != len(rest):
        raise ValueError(f"frames of {sizes} bytes in {len(rest)}")
    if header.kind in ("full", "delta") and not 1 <= header.base_seq <= header.seq - (header.kind == "delta"):
        raise ValueError(f"a base of number {header.base_seq}")
    if (header.kind == "full") != (header.base_bytes > 0) or (header.kind not in ("full", "delta") and rest):
        raise ValueError(f"a {header.kind} record with a base of {header.base_bytes} bytes")
    parts, at = [], 0
    for size in sizes:
        parts.append(rest[at : at + size])
        at += size
    return parts[0] or None, tuple(parts[1:])

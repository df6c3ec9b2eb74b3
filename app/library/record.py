"""The bytes of one log record: magic, header as JSON, zstd image. Decoding verifies all of it or raises.

Layout: b"RBLIB1\\n", 4-byte big-endian header length, header, payload. Kind `full`: the payload is the whole database.
"""

import hashlib
import json
import secrets
from typing import Literal, NamedTuple

import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from app.kit.owner import Owner
from app.library.errors import UnreadableLibraryError

_MAGIC = b"RBLIB1\n"
_LEVEL = 3
MAX_IMAGE_BYTES = 256 * 1024 * 1024


class Header(BaseModel):
    """Facts of a record; `prev_sha256` is the hash of the record before it ("" for the first)."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    kind: Literal["full"] = "full"
    user_id: str
    profile_id: str
    generation: Literal[0] = 0
    seq: int
    prev_sha256: str
    nonce: str
    writer: str
    schema_version: int
    image_sha256: str
    image_bytes: int
    committed_at: str


class Record(NamedTuple):
    header: Header
    image: bytes
    sha256: str


class Draft(NamedTuple):
    """What a commit adds to the image to make a record."""

    owner: Owner
    seq: int
    prev_sha256: str
    writer: str
    schema_version: int
    committed_at: str


def encode(draft: Draft, image: bytes) -> bytes:
    """A record with a fresh nonce: encoding twice gives two different records."""
    header = Header(
        user_id=draft.owner.user_id,
        profile_id=draft.owner.profile_id,
        seq=draft.seq,
        prev_sha256=draft.prev_sha256,
        nonce=secrets.token_hex(16),
        writer=draft.writer,
        schema_version=draft.schema_version,
        image_sha256=hashlib.sha256(image).hexdigest(),
        image_bytes=len(image),
        committed_at=draft.committed_at,
    )
    head = json.dumps(header.model_dump(), separators=(",", ":")).encode()
    return b"".join((_MAGIC, len(head).to_bytes(4, "big"), head, zstandard.compress(image, _LEVEL)))


def decode(body: bytes, owner: Owner, seq: int) -> Record:
    """Raises UnreadableLibraryError when anything does not fit, also another owner or number."""
    where = f"record {seq} of library {owner.user_id}/{owner.profile_id}"
    try:
        header, payload = _split(body)
        if header.image_bytes > MAX_IMAGE_BYTES:
            raise ValueError(f"it claims {header.image_bytes} bytes")
        image = zstandard.ZstdDecompressor().decompress(payload, max_output_size=header.image_bytes)
    except (ValueError, ValidationError, zstandard.ZstdError) as error:
        raise UnreadableLibraryError(f"{where} does not decode; restore an earlier version") from error
    if (header.user_id, header.profile_id, header.seq) != (*owner, seq):
        raise UnreadableLibraryError(f"{where} belongs elsewhere; restore an earlier version")
    if hashlib.sha256(image).hexdigest() != header.image_sha256:
        raise UnreadableLibraryError(f"{where} does not match its hash; restore an earlier version")
    return Record(header, image, hashlib.sha256(body).hexdigest())


def _split(body: bytes) -> tuple[Header, bytes]:
    if not body.startswith(_MAGIC):
        raise ValueError("no record")
    start = len(_MAGIC) + 4
    length = int.from_bytes(body[len(_MAGIC) : start], "big")
    return Header.model_validate_json(body[start : start + length]), body[start + length :]

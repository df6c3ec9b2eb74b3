"""A version of a library in memory, and the two ways to the next: another writer's record, or one of our own.

Values only: nothing here waits or changes what it was given.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.kit.owner import Owner
from app.library import blocks, frames
from app.library.errors import LibraryTooLargeError, NewerSchemaError, UnreadableLibraryError
from app.library.image import empty_image
from app.library.patch import apply_patches, make_patch
from app.library.record import MAX_IMAGE_BYTES, MAX_PATCHES, Header, Kind, Place, Record, encode
from app.library.schema import SCHEMA_VERSION

_DELTA_ABOVE_BYTES = 1024 * 1024
_IMAGE_TO_PATCHES = 24


class Base(NamedTuple):
    """The image that patches lead away from. `sha256` of its record; `frame` None where other records leave it out."""

    seq: int
    sha256: str
    frame: bytes | None


class Head(NamedTuple):
    """`record_sha256` is "" and `base` None before the first record; `digests` are those of `app.library.blocks`."""

    owner: Owner
    generation: int
    seq: int
    record_sha256: str
    image: bytes
    digests: bytes
    base: Base | None
    patches: tuple[bytes, ...]

    @property
    def position(self) -> tuple[int, int]:
        return self.generation, self.seq

    @property
    def next_place(self) -> Place:
        return Place(self.owner, self.generation, self.seq + 1)

    @property
    def size_bytes(self) -> int:
        """What it holds in memory."""
        frame = len(self.base.frame) if self.base and self.base.frame else 0
        return len(self.image) + len(self.digests) + frame + sum(map(len, self.patches))


class Commit(NamedTuple):
    """What a record says beside its image."""

    writers: tuple[str, ...]
    committed_at: str


def empty_head(owner: Owner, generation: int = 0, seq: int = 0, record_sha256: str = "") -> Head:
    """A library without rows: never written, or erased (by record `seq` of the generation before)."""
    image = empty_image()
    return Head(owner, generation, seq, record_sha256, image, blocks.digests_of(image), None, ())


def continues(head: Head, record: Record) -> bool:
    """Whether `head` has all of the record but its last patches."""
    header, known = record.header, len(head.patches)
    return head.base is not None and (*head.base[:2], head.patches) == (
        header.base_seq,
        header.base_sha256,
        record.patches[:known],
    )


def unpack(record: Record, place: Place, head: Head | None, base_image: bytes | None) -> Head:
    """The version that the record holds, verified; `base_image` where the record names another's base.

    Raises UnreadableLibraryError, or NewerSchemaError for what a newer release wrote.
    """
    header = record.header
    if header.schema_version > SCHEMA_VERSION:
        raise NewerSchemaError.of(header.schema_version, SCHEMA_VERSION)
    try:
        image = _image(record, head, base_image)
    except ValueError as error:
        raise UnreadableLibraryError(f"{place} does not unpack; restore an earlier version") from error
    digests = blocks.digests_of(image)
    if not image or len(image) != header.image_bytes or blocks.root_of(digests) != header.image_root:
        raise UnreadableLibraryError(f"{place} does not match its hash; restore an earlier version")
    base = _base(record, len(image))
    return Head(place.owner, place.generation, place.seq, record.sha256, image, digests, base, record.patches)


def base_image_of(record: Record, place: Place, wanted_sha256: str) -> bytes:
    """The image in a full record that another record names; raises UnreadableLibraryError."""
    if record.base is None or record.patches or record.sha256 != wanted_sha256:
        raise UnreadableLibraryError(f"{place} is not the base that a later record names; restore an earlier version")
    try:
        return frames.decompress(record.base, MAX_IMAGE_BYTES)
    except ValueError as error:
        raise UnreadableLibraryError(f"{place} does not unpack; restore an earlier version") from error


def next_head(head: Head, image: bytes, commit: Commit) -> tuple[Head, bytes]:
    """The version after `head` with `image`, and its record. Each call draws its own nonce.

    Raises LibraryTooLargeError.
    """
    if len(image) > MAX_IMAGE_BYTES:
        raise LibraryTooLargeError(f"the library would have {len(image)} bytes, more than {MAX_IMAGE_BYTES}")
    changed = blocks.changed_blocks(head.image, image)
    digests = blocks.renewed(head.digests, image, changed)
    patches = (*head.patches, make_patch(head.image, image, changed)) if head.base else ()
    apart = len(image) > _DELTA_ABOVE_BYTES
    base = head.base
    # A base that goes along is not kept for those that would name it.
    if base is None or (base.frame is None) != apart or not _are_worth_it(patches, len(image)):
        return _full(head, image, digests, commit)
    frame = None if apart else base.frame
    header = _header(
        head,
        commit,
        "delta" if apart else "full",
        **_image_facts(image, digests),
        base_seq=base.seq,
        base_sha256=base.sha256,
        base_bytes=len(frame or b""),
        patch_bytes=tuple(map(len, patches)),
    )
    body = encode(header, frame, patches)
    return _after(head, body, image, digests, base._replace(frame=frame), patches), body


def closed_head(head: Head, commit: Commit) -> tuple[Head, bytes]:
    """The end of a generation and its record; the next number belongs to the next generation, which begins empty."""
    body = encode(_header(head, commit, "erased"))
    return empty_head(head.owner, head.generation + 1, head.seq + 1, _sha256(body)), body


def _full(head: Head, image: bytes, digests: bytes, commit: Commit) -> tuple[Head, bytes]:
    frame = frames.compress(image)
    facts = _image_facts(image, digests)
    header = _header(head, commit, "full", **facts, base_seq=head.seq + 1, base_bytes=len(frame))
    body = encode(header, frame)
    kept = None if len(image) > _DELTA_ABOVE_BYTES else frame
    return _after(head, body, image, digests, Base(head.seq + 1, _sha256(body), kept), ()), body


def _after(head: Head, body: bytes, image: bytes, digests: bytes, base: Base, patches: tuple[bytes, ...]) -> Head:
    return Head(head.owner, head.generation, head.seq + 1, _sha256(body), image, digests, base, patches)


def _header(head: Head, commit: Commit, kind: Kind, **facts: Any) -> Header:  # noqa: ANN401 -- the header's own fields
    """The header of the next record; `facts` are fields that not all kinds have."""
    return Header(
        kind=kind,
        user_id=head.owner.user_id,
        profile_id=head.owner.profile_id,
        generation=head.generation,
        seq=head.seq + 1,
        prev_sha256=head.record_sha256,
        nonce=secrets.token_hex(16),
        writers=commit.writers,
        committed_at=commit.committed_at,
        **facts,
    )


def _image_facts(image: bytes, digests: bytes) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "image_root": blocks.root_of(digests),
        "image_bytes": len(image),
    }


def _are_worth_it(patches: Sequence[bytes], image_bytes: int) -> bool:
    """Patches are uploaded again with each record after them, and a cold open applies them all."""
    return len(patches) <= MAX_PATCHES and sum(map(len, patches)) * _IMAGE_TO_PATCHES <= image_bytes


def _image(record: Record, head: Head | None, base_image: bytes | None) -> bytes:
    if head is not None and continues(head, record):
        return apply_patches(head.image, record.patches[len(head.patches) :], MAX_IMAGE_BYTES)
    if record.base is not None:
        base_image = frames.decompress(record.base, MAX_IMAGE_BYTES)
    if base_image is None:
        raise ValueError("a record without its base")
    return apply_patches(base_image, record.patches, MAX_IMAGE_BYTES)


def _base(record: Record, image_bytes: int) -> Base:
    header = record.header
    kept = None if image_bytes > _DELTA_ABOVE_BYTES else record.base
    return Base(header.base_seq, header.base_sha256 or record.sha256, kept)


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

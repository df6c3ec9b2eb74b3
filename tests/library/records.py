"""Records as damage, mistakes or malice would make them, and what a process makes of a store that holds them."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from app.kit.errors import AppError
from app.kit.owner import Owner
from app.library import blocks, frames
from app.library.context import begin_report
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.head import Commit, base_image_of, closed_head, next_head, unpack
from app.library.image import open_copy
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.record import Header, Place, encode, parse
from app.library.schema import SCHEMA_VERSION
from app.storage.port import MAX_BODY_BYTES, ObjectTooLargeError, Stored, StoreUnavailableError
from tests.app.library.notes import KEYS, OWNER, Note, add, opened, read
from tests.app.memory_storage import MemoryObjects

OTHER = Owner("b", "default")
OTHER_PROFILE = Owner("a", "second")
TAB = Intent("tab")
MAGIC = b"RBLIB2\n"
_WRITTEN_AT = datetime(2026, 1, 1, tzinfo=UTC)
REFUSALS: tuple[type[AppError], ...] = (UnreadableLibraryError, NewerSchemaError, ObjectTooLargeError)
TRY_AGAIN: tuple[type[AppError], ...] = (*REFUSALS, StoreUnavailableError)
"""A tombstone may be a history that moved on while it was read: there it is right to ask for another try."""


class LimitedObjects(MemoryObjects):
    """Refuses to read what the real store's port refuses."""

    async def get(self, key: str) -> Stored | None:
        stored = await super().get(key)
        if stored is not None and len(stored.body) > MAX_BODY_BYTES:
            raise ObjectTooLargeError(f"{key} has {len(stored.body)} bytes")
        return stored


def key(seq: int, generation: int = 0, owner: Owner = OWNER) -> str:
    return KEYS.log_record(owner, generation, seq)


def filled(name: str, size: int) -> Callable[[sqlite3.Connection], Note]:
    """A handler that adds a row of about `size` bytes, which compress badly."""

    def handler(db: sqlite3.Connection) -> Note:
        text = "".join(f"{number * 2654435761 % 2**32:08x}" for number in range(size // 8))
        db.execute("INSERT INTO games VALUES (?, ?, '2026-01-01', 'home', '')", (name, text))
        return Note(id=name, rows=1)

    return handler


class History(NamedTuple):
    """A store with a library of OWNER, and what its newest version holds."""

    bodies: dict[str, bytes]
    names: list[str]

    @property
    def newest(self) -> int:
        return len(self.names)


def history(*sizes: int) -> History:
    """A commit for each size, in generation 0; beside it one library of another user and one of another profile.

    The same bytes every time: what damages them does the same in every run.
    """

    async def write() -> History:
        objects = MemoryObjects()
        libraries = Libraries(objects, KEYS, clock=lambda: _WRITTEN_AT)
        for other in (OTHER, OTHER_PROFILE):
            await libraries.commit(other, TAB, add("theirs"), Note)
        for number, size in enumerate(sizes):
            await libraries.commit(OWNER, TAB, filled(f"n{number}", size), Note)
        return History(objects.bodies, [f"n{number}" for number in range(len(sizes))])

    numbers = count()
    with patch("secrets.token_hex", lambda size: f"{next(numbers):0{2 * size}x}"):
        return asyncio.run(write())


def erased(bodies: dict[str, bytes], seq: int) -> dict[str, bytes]:
    """The generation of a small library ended after `seq`, and one record in the next."""
    place = Place(OWNER, 0, seq)
    head = unpack(parse(bodies[key(seq)], place), place, None, None)
    closed, end = closed_head(head, Commit(("tab",), ""))
    image = image_with("new life")
    _, first = next_head(closed, image, Commit(("tab",), ""))
    return bodies | {key(seq + 1): end, key(seq + 2, 1): first}


def image_with(*names: str) -> bytes:
    connection = open_copy(b"")
    for name in names:
        add(name)(connection)
    return connection.serialize()


def record(image: bytes, *, frame: bytes | None = None, patches: tuple[bytes, ...] = (), **facts: Any) -> bytes:
    """A record 1 whose facts all fit `image`, but for those that are given."""
    base = frames.compress(image) if frame is None else frame
    header = Header(
        kind="full",
        user_id=OWNER.user_id,
        profile_id=OWNER.profile_id,
        generation=0,
        seq=1,
        prev_sha256="",
        nonce="ab" * 16,
        writers=("tab",),
        committed_at="2026-01-01T00:00:00.000Z",
        schema_version=SCHEMA_VERSION,
        image_root=blocks.root_of(blocks.digests_of(image)),
        image_bytes=len(image),
        base_seq=1,
        base_bytes=len(base),
    )
    sizes = {"patch_bytes": tuple(map(len, patches))}
    return encode(header.model_copy(update=sizes | facts), base, patches)


def split(body: bytes) -> tuple[bytes, bytes]:
    """Header (JSON) and frames."""
    start = len(MAGIC) + 4
    end = start + int.from_bytes(body[len(MAGIC) : start], "big")
    return body[start:end], body[end:]


def joined(header: bytes, rest: bytes) -> bytes:
    return MAGIC + len(header).to_bytes(4, "big") + header + rest


def base_image(body: bytes, seq: int) -> bytes:
    """The image in a full record without patches."""
    place = Place(OWNER, 0, seq)
    found = parse(body, place)
    return base_image_of(found, place, found.sha256)


async def looked_at(objects: MemoryObjects) -> list[str] | AppError:
    """What a process with nothing cached reads; a request that permits stale answers changes nothing about it."""
    begin_report(may_be_stale=True)
    try:
        return await read(opened(objects))
    except AppError as error:
        return _bare(error)


async def written_to(objects: MemoryObjects, name: str = "written") -> list[str] | AppError:
    """What a commit by a process with nothing cached comes to: the rows that another process then reads."""
    try:
        await opened(objects).commit(OWNER, TAB, add(name), Note)
    except AppError as error:
        return _bare(error)
    return await read(opened(objects))


def _bare(error: AppError) -> AppError:
    """Without its traceback, which holds all that was unpacked."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


async def require_refused(bodies: dict[str, bytes], refusals: tuple[type[AppError], ...] = REFUSALS) -> None:
    """The library of OWNER is refused, by reads and commits; nothing is written; all other libraries go on."""
    objects = LimitedObjects()
    objects.bodies = dict(bodies)
    for found in (await looked_at(objects), await written_to(objects)):
        assert isinstance(found, refusals), f"not refused, but {found!r}"
    assert objects.bodies == bodies, "a library that is refused was written to"
    await _require_others_go_on(objects)


async def require_refused_or_right(
    bodies: dict[str, bytes], names: list[str], refusals: tuple[type[AppError], ...] = TRY_AGAIN
) -> None:
    """Damage is either refused or had no effect; a library that can be read can also be written."""
    objects = LimitedObjects()
    objects.bodies = dict(bodies)
    found = await looked_at(objects)
    assert found == names or isinstance(found, refusals), f"read as {found!r}"
    assert objects.bodies == bodies, "a read wrote something"
    after = await written_to(objects)
    assert after == [*names, "written"] or isinstance(after, refusals), f"written to, then {after!r}"
    if isinstance(after, AppError):
        assert objects.bodies == bodies, "a write that was refused wrote something"
    assert isinstance(found, AppError) == isinstance(after, AppError), f"read: {found!r}, written: {after!r}"


async def require_recovery(good: dict[str, bytes], bad: dict[str, bytes], seen: int, names: list[str]) -> None:
    """A process that knew version `seen` meets the damage, shows nothing wrong, and goes on once it is mended."""
    objects = LimitedObjects()
    objects.bodies = {name: body for name, body in good.items() if not _is_after(name, seen)}
    libraries = opened(objects)
    assert await read(libraries) == names[:seen]
    objects.bodies = dict(bad)
    begin_report(may_be_stale=True)
    try:
        assert await read(libraries) == names
    except TRY_AGAIN:
        assert objects.bodies == bad
    objects.bodies = dict(good)
    assert await read(libraries) == names


async def _require_others_go_on(objects: MemoryObjects) -> None:
    for owner in (OTHER, OTHER_PROFILE):
        libraries = opened(objects)
        if key(1, owner=owner) in objects.bodies:
            assert await read(libraries, owner) == ["theirs"]
        await libraries.commit(owner, TAB, add("more"), Note)


def _is_after(name: str, seq: int) -> bool:
    return name.startswith(KEYS.library_prefix(OWNER)) and KEYS.log_seq(name) > seq


@contextmanager
def memory_below(limit_bytes: int) -> Iterator[None]:
    """What this process takes at its peak, native buffers included, above what it has at the start."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    try:
        reset.write_text("5")
    except OSError:
        pytest.skip("the peak of a process can be measured on Linux only")
    before = _peak_bytes(status)
    yield
    assert _peak_bytes(status) - before < limit_bytes


def _peak_bytes(status: Path) -> int:
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024

"""Every version that ever was, decoded from what its record was when it was created, before anything overwrote it."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Literal, NamedTuple

from app.kit.errors import AppError
from app.library import restore
from app.library.head import Head, base_image_of, continues, empty_head, unpack
from app.library.record import Kind as RecordKind
from app.library.record import Place, Record, parse
from tests.library.simulation.machines import KEYS, OWNER, row_ids
from tests.library.simulation.store import Creation

Kind = Literal["write", "restore", "erase"]
Remains = Literal["whole", "buried", "nameless", "changed"]


class Version(NamedTuple):
    """`generation` is the one that goes on behind it. `commits` are the rows of that table: version and session.

    `outbox`: rows whose effects are still to be carried out. `remains`: what is left of the record in the end.
    """

    number: int
    generation: int
    kind: Kind
    form: RecordKind
    writers: frozenset[str]
    created_s: float
    rows: tuple[str, ...]
    commits: frozenset[tuple[int, str]]
    outbox: tuple[str, ...]
    remains: Remains


NOTHING = Version(0, 0, "write", "full", frozenset(), 0.0, (), frozenset(), (), "whole")
"""What there is before the first record."""


class Lineage(NamedTuple):
    """`versions` by number, from NOTHING on. `flaws`: what does not fit when it is read from the first record on.

    `lag_s` is how long the clock of some machine has stood.
    """

    versions: Sequence[Version]
    flaws: Sequence[str]
    lag_s: float = 0.0


def read_lineage(created: Mapping[str, Sequence[Creation]], left: Mapping[str, bytes], lag_s: float) -> Lineage:
    """`created`: by key; `left`: what is in the store in the end. It ends at the first record that does not decode."""
    walk = _Walk()
    try:
        for key in sorted(created, key=KEYS.log_seq):
            for creation in created[key]:
                walk.step(key, creation, left.get(key))
    except AppError as error:
        walk.flaws.append(error.detail)
    return Lineage(walk.versions, walk.flaws, lag_s)


class _Walk:
    """From record to record, as a process goes that was there all the time."""

    def __init__(self) -> None:
        self.versions = [NOTHING]
        self.flaws: list[str] = []
        self._head = empty_head(OWNER)
        self._records: dict[int, Record] = {}

    def step(self, key: str, creation: Creation, left: bytes | None) -> None:
        place = Place(OWNER, int(key.split("/")[-3]), KEYS.log_seq(key))
        if place != self._head.next_place:
            self.flaws.append(f"{place} of generation {place.generation} was created at {creation.at_s:.3f} s")
            return
        record = parse(creation.body, place)
        if record.header.prev_sha256 != self._head.record_sha256:
            self.flaws.append(f"{place} does not continue the record before it")
        self._head = self._after(record, place)
        self.versions.append(_version(self._head, record, creation, left))

    def _after(self, record: Record, place: Place) -> Head:
        self._records[place.seq] = record
        if record.header.kind == "erased":
            return empty_head(OWNER, place.generation + 1, place.seq, record.sha256)
        if continues(self._head, record):
            return unpack(record, place, self._head, None)
        base_image = None
        if record.base is None:
            base_place = place._replace(seq=record.header.base_seq)
            base_image = base_image_of(self._records[base_place.seq], base_place, record.header.base_sha256)
        return unpack(record, place, None, base_image)


def _version(head: Head, record: Record, creation: Creation, left: bytes | None) -> Version:
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(head.image)
        return Version(
            head.seq,
            head.generation,
            _kind(record),
            record.header.kind,
            frozenset(record.header.writers),
            creation.at_s,
            row_ids(db),
            frozenset(db.execute("SELECT version, session FROM commits")),
            tuple(body for (body,) in db.execute("SELECT body_json FROM outbox ORDER BY id")),
            _remains(record, head, creation.body, left),
        )


def _kind(record: Record) -> Kind:
    if record.header.kind == "erased":
        return "erase"
    return "restore" if restore.SESSION in record.header.writers else "write"


def _remains(record: Record, head: Head, body: bytes, left: bytes | None) -> Remains:
    if left == body:
        return "whole"
    if left is None:
        return "changed"
    now = parse(left, Place(OWNER, record.header.generation, head.seq)).header
    was = (record.header.nonce, record.header.prev_sha256, hashlib.sha256(body).hexdigest())
    if now.kind != "tombstone" or (now.nonce, now.prev_sha256, now.buried_sha256) != was:
        return "changed"
    return "buried" if now.writers or now.committed_at else "nameless"

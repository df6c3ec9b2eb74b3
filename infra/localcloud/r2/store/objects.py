"""Objects: metadata, and the segments (whole blobs in order) that make up the bytes.

A completed upload keeps its parts as segments and a copy shares them, so neither moves a byte. Calls that drop segments
return the blobs that nothing names any more; the caller removes them after the commit.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infra.localcloud.r2.store.blobs import Slice
from infra.localcloud.r2.store.database import Database


class Segment(NamedTuple):
    blob: str
    size: int


@dataclass(frozen=True)
class StoredObject:
    """`etag` without quotes; `headers` are those to answer with; `modified_at` in Unix seconds."""

    id: int
    size: int
    etag: str
    headers: dict[str, str]
    modified_at: float


@dataclass(frozen=True)
class NewObject:
    segments: Sequence[Segment]
    etag: str
    headers: dict[str, str]
    modified_at: float


class ObjectStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, bucket: str, key: str) -> StoredObject | None:
        row = self._database.row(
            "select id, size, etag, headers, modified_at from objects where bucket = ? and key = ?", (bucket, key)
        )
        if row is None:
            return None
        number, size, etag, headers, modified_at = row
        return StoredObject(number, size, etag, json.loads(headers), modified_at)

    def any_in(self, bucket: str) -> bool:
        return self._database.row("select 1 from objects where bucket = ? limit 1", (bucket,)) is not None

    def segments(self, found: StoredObject) -> list[Segment]:
        rows = self._database.rows("select blob, size from segments where object = ? order by position", (found.id,))
        return [Segment(*row) for row in rows]

    def slices(self, found: StoredObject, start: int, size: int) -> list[Slice]:
        """Where the bytes [start, start + size) are."""
        rows = self._database.rows(
            "select blob, start, size from segments where object = ? and start < ? and start + size > ?"
            " order by position",
            (found.id, start + size, start),
        )
        pieces = []
        for blob, at, length in rows:
            first, last = max(start, at), min(start + size, at + length)
            pieces.append(Slice(blob, first - at, last - first))
        return pieces

    def put(self, bucket: str, key: str, new: NewObject, replaced: StoredObject | None) -> list[str]:
        """Stores an object in the place of `replaced`, which the caller found in the same transaction."""
        with self._database.transaction():
            old = self._drop_segments(replaced) if replaced else []
            number = self._database.run(
                "insert or replace into objects(bucket, key, size, etag, headers, modified_at)"
                " values(?, ?, ?, ?, ?, ?)",
                (bucket, key, sum(s.size for s in new.segments), new.etag, json.dumps(new.headers), new.modified_at),
            )
            self._add_segments(number, [segment for segment in new.segments if segment.size])
            empty = [segment.blob for segment in new.segments if not segment.size]
            return self.unnamed(old + empty)

    def delete(self, bucket: str, key: str) -> list[str]:
        with self._database.transaction():
            found = self.find(bucket, key)
            if found is None:
                return []
            self._database.run("delete from objects where id = ?", (found.id,))
            return self.unnamed(self._drop_segments(found))

    def unnamed(self, blobs: Iterable[str]) -> list[str]:
        """Those of `blobs` that are no object's segment."""
        return [
            blob for blob in blobs if not self._database.row("select 1 from segments where blob = ? limit 1", (blob,))
        ]

    def named_blobs(self) -> set[str]:
        return {row[0] for row in self._database.rows("select blob from segments")}

    def _add_segments(self, number: int, segments: list[Segment]) -> None:
        rows = []
        start = 0
        for position, segment in enumerate(segments):
            rows.append((number, position, start, segment.size, segment.blob))
            start += segment.size
        self._database.run_many("insert into segments(object, position, start, size, blob) values(?, ?, ?, ?, ?)", rows)

    def _drop_segments(self, found: StoredObject) -> list[str]:
        blobs = [segment.blob for segment in self.segments(found)]
        self._database.run("delete from segments where object = ?", (found.id,))
        return blobs

"""Unfinished multipart uploads and their parts. Calls that drop parts return the blobs to remove after the commit."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from infra.localcloud.r2.store.database import Database


@dataclass(frozen=True)
class Upload:
    """`headers` are those that the finished object will answer with; `created_at` in Unix seconds."""

    id: str
    bucket: str
    key: str
    headers: dict[str, str]
    created_at: float


class Part(NamedTuple):
    """`etag` without quotes: the MD5 in hex."""

    number: int
    blob: str
    size: int
    etag: str
    modified_at: float


class UploadStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, upload: Upload) -> None:
        self._database.run(
            "insert into uploads values(?, ?, ?, ?, ?)",
            (upload.id, upload.bucket, upload.key, json.dumps(upload.headers), upload.created_at),
        )

    def find(self, bucket: str, key: str, upload_id: str) -> Upload | None:
        rows = self._select("id = ? and bucket = ? and key = ?", (upload_id, bucket, key))
        return rows[0] if rows else None

    def in_bucket(self, bucket: str) -> list[Upload]:
        """All uploads by key, then by id."""
        return self._select("bucket = ?", (bucket,))

    def parts(self, upload: Upload) -> list[Part]:
        """By number."""
        rows = self._database.rows(
            "select number, blob, size, etag, modified_at from parts where upload = ? order by number", (upload.id,)
        )
        return [Part(*row) for row in rows]

    def put_part(self, upload: Upload, part: Part) -> list[str]:
        """Replaces the part of this number; the caller found the upload in the same transaction."""
        old = self._database.rows("select blob from parts where upload = ? and number = ?", (upload.id, part.number))
        self._database.run("insert or replace into parts values(?, ?, ?, ?, ?, ?)", (upload.id, *part))
        return [row[0] for row in old]

    def delete(self, upload: Upload) -> list[str]:
        """Returns the blobs of all its parts, also of those that became an object's segments."""
        with self._database.transaction():
            blobs = [part.blob for part in self.parts(upload)]
            self._database.run("delete from parts where upload = ?", (upload.id,))
            self._database.run("delete from uploads where id = ?", (upload.id,))
            return blobs

    def named_blobs(self) -> set[str]:
        return {row[0] for row in self._database.rows("select blob from parts")}

    def _select(self, where: str, parameters: tuple[str, ...]) -> list[Upload]:
        rows = self._database.rows(
            f"select id, bucket, key, headers, created_at from uploads where {where} order by key, id",  # noqa: S608
            parameters,
        )
        return [Upload(row[0], row[1], row[2], json.loads(row[3]), row[4]) for row in rows]

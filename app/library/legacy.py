"""Libraries of the plan before this one: one `database.sqlite` for each, written over by whoever came last.

It is read once, becomes record 1 of the log and is never touched.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

from app.kit.clock import rfc3339
from app.kit.owner import SYSTEM_SESSION, Owner
from app.library.errors import UnreadableLibraryError
from app.library.image import open_copy
from app.library.record import MAX_IMAGE_BYTES
from app.storage.keys import Keys
from app.storage.port import ObjectStore

# The file's header, https://www.sqlite.org/fileformat.html 1.3
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_PAGE_SIZE, _PAGE_COUNT = slice(16, 18), slice(28, 32)
_SMALLEST_PAGE = 512
_WRITE_FORMAT, _READ_FORMAT = 18, 19
_ROLLBACK_JOURNAL = 1


class ImportRefusedError(UnreadableLibraryError):
    """The old database cannot become a library as it is; it stays where it lies."""

    code = "library_import_refused"
    title = "Old database cannot be imported"


class LegacyDatabase:
    def __init__(self, objects: ObjectStore, keys: Keys, owner: Owner, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._objects = objects
        self._key = keys.legacy_database(owner)

    async def image(self) -> bytes | None:
        """The image of an old database, migrated; None where there is none. Raises ImportRefusedError."""
        stored = await self._objects.get(self._key)
        if stored is None:
            return None
        if await self._objects.head(f"{self._key}-wal") is not None:
            raise ImportRefusedError(
                f"{self._key} has a write-ahead log beside it: its last changes are not in it; "
                "run `PRAGMA wal_checkpoint(TRUNCATE)` on both, upload the database, delete the -wal object"
            )
        return await asyncio.to_thread(_converted, stored.body, self._key, rfc3339(self.clock()))


def _converted(database: bytes, key: str, at: str) -> bytes:
    if not database.startswith(_MAGIC) or not _HEADER_BYTES <= len(database) <= MAX_IMAGE_BYTES:
        raise ImportRefusedError(f"{key} is no SQLite database of up to {MAX_IMAGE_BYTES} bytes")
    plain = bytearray(database)
    # A database in memory has no write-ahead log: SQLite refuses one whose header says that it has.
    plain[_WRITE_FORMAT] = plain[_READ_FORMAT] = _ROLLBACK_JOURNAL
    try:
        _require_whole(bytes(plain))
        with closing(open_copy(bytes(plain))) as connection:
            # Their versions are not those of the log that begins here.
            connection.execute("DELETE FROM commits")
            connection.execute("DELETE FROM idempotency")
            connection.execute("INSERT INTO commits VALUES (1, ?, ?)", (SYSTEM_SESSION, at))
            return connection.serialize()
    except (sqlite3.Error, ValueError, UnreadableLibraryError) as error:
        raise ImportRefusedError(f"{key} is corrupt or not a library of this system: {error}") from error


def _require_whole(image: bytes) -> None:
    """Raises ValueError; SQLite itself reads zeros where a file is cut."""
    size = int.from_bytes(image[_PAGE_SIZE], "big")
    page_bytes = 65536 if size == 1 else size
    pages = int.from_bytes(image[_PAGE_COUNT], "big")
    if page_bytes < _SMALLEST_PAGE or len(image) % page_bytes or len(image) < pages * page_bytes:
        raise ValueError(f"{len(image)} bytes cannot be {pages} pages of {page_bytes}")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(image)
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise ValueError(verdict)

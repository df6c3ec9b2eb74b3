"""Libraries of the plan before this one: one `database.sqlite` for each, written over by whoever came last.

It is read once, becomes record 1 of the log and is never touched.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime

from app.kit.owner import Owner
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.image import open_copy
from app.library.record import MAX_IMAGE_BYTES
from app.library.schema import SCHEMA_VERSION
from app.storage.keys import Keys
from app.storage.port import ObjectStore

_MAGIC = b"SQLite format 3\0"
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
        return await asyncio.to_thread(_converted, stored.body, self._key)


def _converted(database: bytes, key: str) -> bytes:
    if not database.startswith(_MAGIC) or len(database) > MAX_IMAGE_BYTES:
        raise ImportRefusedError(f"{key} is no SQLite database of up to {MAX_IMAGE_BYTES} bytes")
    plain = bytearray(database)
    # A database in memory has no write-ahead log: SQLite refuses one whose header says that it has.
    plain[_WRITE_FORMAT] = plain[_READ_FORMAT] = _ROLLBACK_JOURNAL
    try:
        _require_ours(bytes(plain), key)
        connection = open_copy(bytes(plain))
    except sqlite3.Error as error:
        raise ImportRefusedError(f"{key} is corrupt: {error}") from error
    try:
        return connection.serialize()
    finally:
        connection.close()


def _require_ours(image: bytes, key: str) -> None:
    """Before it is migrated: whole, and of a schema that this server knows."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.deserialize(image)
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise ImportRefusedError(f"{key} is corrupt: {verdict}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    finally:
        connection.close()
    if version > SCHEMA_VERSION:
        raise NewerSchemaError.of(version, SCHEMA_VERSION)
    if version == 0 and tables:
        raise ImportRefusedError(f"{key} holds tables but no schema version: it is not a library of this system")

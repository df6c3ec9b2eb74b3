"""A database image (the bytes of a SQLite file) and the in-memory copies made from it."""

import sqlite3
from functools import cache

from app.library.errors import UnreadableLibraryError
from app.library.schema import migrate, require_ours


def open_copy(image: bytes) -> sqlite3.Connection:
    """A private copy in memory, migrated; b"" becomes a library without rows. Statements commit themselves.

    Raises NewerSchemaError, or UnreadableLibraryError when the image is no library.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        _load(connection, image)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _load(connection: sqlite3.Connection, image: bytes) -> None:
    try:
        if image:
            connection.deserialize(image)
        require_ours(connection)
    except (sqlite3.DatabaseError, ValueError) as error:
        # What SQLite says of damage may quote it, and then be no text.
        raise UnreadableLibraryError(f"the database is corrupt or not a library: {error}") from error


def open_reader(image: bytes) -> sqlite3.Connection:
    """A copy that refuses writes."""
    connection = open_copy(image)
    connection.execute("PRAGMA query_only=ON")
    return connection


@cache
def empty_image() -> bytes:
    """A library without rows, in the newest schema."""
    return open_copy(b"").serialize()

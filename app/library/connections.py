"""The two connections that a cached library keeps: one to read its head, one on which the next writes run.

Both are copies in memory, opened when first needed. Rolling back is dropping the writer.
"""

import asyncio
import sqlite3

from app.library.head import Head
from app.library.image import open_copy, open_reader


class Connections:
    def __init__(self) -> None:
        self._reader: tuple[str, sqlite3.Connection] | None = None
        self._writer: tuple[str, sqlite3.Connection] | None = None

    @property
    def open_count(self) -> int:
        return (self._reader is not None) + (self._writer is not None)

    def reader(self, head: Head) -> sqlite3.Connection:
        """Shared by all readers of this version; it outlives the head while one of them holds it."""
        if self._reader is None or self._reader[0] != head.record_sha256:
            self._reader = (head.record_sha256, open_reader(head.image))
        return self._reader[1]

    async def reader_off_loop(self, head: Head) -> sqlite3.Connection:
        """The same; opening it copies the image, and is done in a thread."""
        if self._reader is not None and self._reader[0] == head.record_sha256:
            return self._reader[1]
        return await asyncio.to_thread(self.reader, head)

    def take_writer(self, head: Head) -> sqlite3.Connection:
        """A connection with the head's content, which is the caller's until it gives it back."""
        taken, self._writer = self._writer, None
        if taken is not None and taken[0] == head.record_sha256:
            return taken[1]
        return open_copy(head.image)

    def give_writer(self, head: Head, writer: sqlite3.Connection) -> None:
        """Its content is that of `head`, which became durable."""
        self._writer = (head.record_sha256, writer)

    def drop(self) -> None:
        self._reader = self._writer = None

"""The two connections that a cached library keeps: one to read its head, one on which the next writes run.

Both are copies in memory, opened when first needed. Rolling back is dropping the writer. They are closed as soon as
nobody uses them: a connection is part of a reference cycle, and its copy would wait for the garbage collector.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.library.head import Head
from app.library.image import open_reader


class _Reader:
    """Shared by all who read one version; closed once it is retired and the last of them has left."""

    def __init__(self, version: str, connection: sqlite3.Connection) -> None:
        self.version = version
        self.connection = connection
        self.users = 0
        self.is_retired = False

    def retire(self) -> None:
        self.is_retired = True
        self.close_if_unused()

    def close_if_unused(self) -> None:
        if self.is_retired and self.users == 0:
            self.connection.close()


class Connections:
    """To be used on the event loop only; versions are told apart by the hashes of their records."""

    def __init__(self) -> None:
        self._reader: _Reader | None = None
        self._writer: tuple[str, sqlite3.Connection] | None = None
        self._opening = 0

    @property
    def is_opening(self) -> bool:
        return self._opening > 0

    @property
    def open_count(self) -> int:
        return (self._reader is not None) + (self._writer is not None)

    @asynccontextmanager
    async def reading(self, head: Head) -> AsyncIterator[sqlite3.Connection]:
        """A read-only connection to this version, valid in the block. A missing one is opened in a thread."""
        reader = self._reader
        if reader is None or reader.version != head.record_sha256:
            reader = self._keep(_Reader(head.record_sha256, await self._opened(head)))
        reader.users += 1
        try:
            yield reader.connection
        finally:
            reader.users -= 1
            reader.close_if_unused()

    def take_writer(self, head: Head) -> sqlite3.Connection | None:
        """A connection with the head's content, if there is one; it is then the caller's."""
        taken, self._writer = self._writer, None
        if taken is None:
            return None
        version, connection = taken
        if version == head.record_sha256:
            return connection
        connection.close()
        return None

    def give_writer(self, head: Head, connection: sqlite3.Connection) -> None:
        """Its content is that of `head`, which is durable."""
        self._close_writer()
        self._writer = (head.record_sha256, connection)

    def drop(self) -> None:
        self._close_writer()
        if self._reader is not None:
            self._reader.retire()
            self._reader = None

    async def _opened(self, head: Head) -> sqlite3.Connection:
        self._opening += 1
        try:
            return await asyncio.to_thread(open_reader, head.image)
        finally:
            self._opening -= 1

    def _keep(self, opened: _Reader) -> _Reader:
        """The one that others opened meanwhile, if it is of the same version."""
        current = self._reader
        if current is not None and current.version == opened.version:
            opened.retire()
            return current
        if current is not None:
            current.retire()
        self._reader = opened
        return opened

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer[1].close()
            self._writer = None

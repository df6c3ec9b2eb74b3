"""One caller's change, and a group of them run on one connection, to become one record."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from app.kit.owner import SYSTEM_SESSION
from app.library.bookkeeping import note_commit, refuse_stale_session, stored_reply
from app.library.errors import BusyLibraryError
from app.library.intent import Intent

_MAX_GROUP = 64
_PATIENCE = timedelta(minutes=10)
Reply = TypeVar("Reply", bound=BaseModel)
Handler = Callable[[sqlite3.Connection], Reply]


class BrokenHandlerError(RuntimeError):
    """A handler ended the transaction that it runs in."""


class Write(Generic[Reply]):
    """`outcome` is decided by the last try and told once it is certain; `answer` gives reply and version."""

    def __init__(self, intent: Intent, handler: Handler[Reply], reply: type[Reply], asked_at: datetime) -> None:
        self.intent = intent
        self.answer: asyncio.Future[tuple[Reply, int]] = asyncio.get_running_loop().create_future()
        self._asked_at = asked_at
        self._handler = handler
        self._reply = reply
        self._outcome: Reply | Exception | None = None
        self._version = 0

    def run(self, connection: sqlite3.Connection, version: int, at: datetime) -> bool:
        """Whether it changed anything: not when it was refused or had been answered before."""
        try:
            self._refuse_when_late(at)
            earlier = stored_reply(connection, self.intent.idempotency)
            if earlier is not None:
                self._outcome = self._reply.model_validate_json(earlier.reply_json)
                self._version = earlier.version
                return False
            refuse_stale_session(connection, self.intent, version - 1)
            reply = self._handler(connection)
            note_commit(connection, version, self.intent, reply.model_dump_json(), at)
        except StopIteration as error:
            # A future refuses to hold one.
            self._outcome = RuntimeError(f"a handler raised {error!r}")
            return False
        except Exception as error:
            self._outcome = error
            return False
        self._outcome, self._version = reply, version
        return True

    def _refuse_when_late(self, at: datetime) -> None:
        """A process that was frozen for days must not do what others did meanwhile: the keys are forgotten by then."""
        if at - self._asked_at > _PATIENCE:
            raise BusyLibraryError(f"this change waited {at - self._asked_at}; make it again if it is still wanted")

    def tell(self) -> None:
        """The outcome of the last try is now certain."""
        if self.answer.done():
            return
        if isinstance(self._outcome, Exception):
            self.fail(self._outcome)
        elif self._outcome is not None:
            self.answer.set_result((self._outcome, self._version))

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            # The caller may be gone; nobody is then left to hear it.
            self.answer.exception()


AnyWrite = Write[Any]


def group_of(waiting: Sequence[AnyWrite]) -> list[AnyWrite]:
    """Those that may share a record with the first: of its session, or of the system.

    Two sessions never share one: each would then have seen the version that the other made, and no conflict be found.
    """
    sessions = {SYSTEM_SESSION}
    group = []
    for write in waiting:
        session = write.intent.session
        if session in sessions or sessions == {SYSTEM_SESSION}:
            sessions.add(session)
            group.append(write)
    return group[:_MAX_GROUP]


def run_all(connection: sqlite3.Connection, version: int, writes: Sequence[AnyWrite], at: datetime) -> list[AnyWrite]:
    """Those that changed something; their changes are then committed to `connection`, as `version`.

    Each in a transaction of its own: the connection is a copy, and dropping it undoes them all.
    """
    return [write for write in writes if _run_alone(connection, version, write, at)]


def _run_alone(connection: sqlite3.Connection, version: int, write: AnyWrite, at: datetime) -> bool:
    connection.execute("BEGIN")
    changed = write.run(connection, version, at)
    if not connection.in_transaction:
        raise BrokenHandlerError("a handler ended the transaction that it runs in")
    connection.execute("COMMIT" if changed else "ROLLBACK")
    return changed

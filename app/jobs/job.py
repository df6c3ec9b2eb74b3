"""What a job is to the queue: whose, of which kind, and which row. The row, in the owner's library, is the truth."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

from app.kit.errors import UnavailableError
from app.kit.owner import Owner

_T = TypeVar("_T")


class Job(NamedTuple):
    owner: Owner
    kind: str
    id: str


class Outcome(Enum):
    """How `run` ended: the job is over, it has no row (yet), or another process does it now."""

    DONE = "done"
    NOT_FOUND = "not found"
    TAKEN_OVER = "taken over"


class JobKind(Protocol):
    """How one kind of job is done. Both calls may be repeated after a crash at any point."""

    @property
    def slots(self) -> int:
        """How many of this kind run at once in this process."""

    async def run(self, job: Job) -> Outcome:
        """Bring the job to its end. What it raises means: come back to it later."""

    async def discard(self, job: Job) -> None:
        """End the job as failed without doing it."""


class JobQueue(Protocol):
    """Announce a job before its row is committed, start it after: a crash in between loses nothing."""

    async def announce(self, job: Job) -> None: ...

    async def withdraw(self, job: Job) -> None:
        """The row was not committed after all."""

    def leave(self, job: Job) -> None:
        """Nobody knows whether the row was committed: a later sweep finds out."""

    def start(self, job: Job) -> None: ...

    async def stop(self, job: Job) -> None:
        """The row is final: end the work wherever it runs, here at once, elsewhere soon."""

    def holds(self, job: Job) -> bool:
        """Whether this process does it."""


async def submit(queue: JobQueue, job: Job, commit: Callable[[], Awaitable[_T]], made_it: Callable[[_T], bool]) -> _T:
    """Announce, commit, start. `made_it` tells whether the commit made this job or gave an earlier answer again."""
    await queue.announce(job)
    try:
        reply = await commit()
    except (UnavailableError, asyncio.CancelledError):
        queue.leave(job)
        raise
    except BaseException:
        await queue.withdraw(job)
        raise
    if made_it(reply):
        queue.start(job)
    else:
        await queue.withdraw(job)
    return reply

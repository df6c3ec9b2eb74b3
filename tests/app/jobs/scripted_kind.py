"""A kind of job that records what the queue does with it."""

import asyncio

from app.jobs.job import Job, Outcome
from app.kit.owner import Owner

OWNER = Owner("a", "default")


def job(name: str = "1") -> Job:
    return Job(OWNER, "work", f"exp_{name}")


class ScriptedKind:
    """Each run waits for `go`, then ends with `outcome`; exceptions in `troubles` come first."""

    def __init__(self, slots: int = 2) -> None:
        self.slots = slots
        self.running: list[Job] = []
        self.done: list[Job] = []
        self.discarded: list[Job] = []
        self.most_at_once = 0
        self.troubles: list[Exception] = []
        self.outcome = Outcome.DONE
        self.go = asyncio.Event()

    async def run(self, job: Job) -> Outcome:
        self.running.append(job)
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            await self.go.wait()
            if self.troubles:
                raise self.troubles.pop(0)
            self.done.append(job)
            return self.outcome
        finally:
            self.running.remove(job)

    async def discard(self, job: Job) -> None:
        self.discarded.append(job)

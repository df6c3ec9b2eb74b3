"""The index of unfinished jobs of one environment: a marker object for each, with a lease of the process that does it.

The lease only avoids doing work twice; that a job ends once is ensured by its row. Renewing replaces by ETag.
"""

import os
import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from app.jobs.job import Job
from app.storage.keys import Keys
from app.storage.port import ObjectStore

LEASE_S = 30.0
_MAX_LISTED = 1000


class Holder(BaseModel, frozen=True):
    """A process: `nonce` tells it from an earlier one with the same pid."""

    host: str
    pid: int
    nonce: str

    def is_dead(self, me: "Holder") -> bool:
        """Certain only on the same host; elsewhere the lease must run out."""
        if self.host != me.host or self == me:
            return False
        return self.pid == me.pid or not _runs(self.pid)


class Marker(BaseModel, frozen=True):
    """`until` is seconds since the epoch; a marker without a holder is free."""

    created_at: float
    holder: Holder | None
    until: float


class Lease(NamedTuple):
    """This process does `job` until the marker's time; `etag` renews it."""

    job: Job
    etag: str
    created_at: float


class PendingJobs:
    def __init__(self, objects: ObjectStore, keys: Keys, nonce: str, clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._keys = keys
        self._me = Holder(host=socket.gethostname(), pid=os.getpid(), nonce=nonce)
        self._clock = clock

    async def announce(self, job: Job) -> Lease | None:
        """Create the marker, or take the free one that a former attempt left; None when another process has it."""
        now = self._clock()
        etag = await self._objects.create(self._key(job), self._body(now))
        if etag is not None:
            return Lease(job, etag, now)
        return await self.claim(job)

    async def claim(self, job: Job) -> Lease | None:
        """Take a marker that nobody holds; None when it is held, gone, or another process is faster."""
        stored = await self._objects.get(self._key(job))
        if stored is None:
            return None
        marker = _parse(stored.body)
        if not self._is_free(marker):
            return None
        created_at = marker.created_at if marker else self._clock()
        etag = await self._objects.replace(self._key(job), self._body(created_at), stored.etag)
        return Lease(job, etag, created_at) if etag is not None else None

    async def renew(self, lease: Lease) -> Lease | None:
        """None when the lease is lost: the job is finished, stopped or taken over."""
        etag = await self._objects.replace(self._key(lease.job), self._body(lease.created_at), lease.etag)
        return lease._replace(etag=etag) if etag is not None else None

    async def release(self, lease: Lease) -> None:
        """Let another process, or the next start of this one, take it at once."""
        free = Marker(created_at=lease.created_at, holder=None, until=0)
        await self._objects.replace(self._key(lease.job), free.model_dump_json().encode(), lease.etag)

    async def finish(self, job: Job) -> None:
        await self._objects.delete(self._key(job))

    async def list(self) -> list[Job]:
        """At most 1000: what is beyond comes up once these are done."""
        keys = await self._objects.list(self._keys.pending_prefix, _MAX_LISTED)
        return [Job(*self._keys.parse_pending_job(key)) for key in keys]

    def _is_free(self, marker: Marker | None) -> bool:
        if marker is None or marker.holder is None or marker.until < self._clock():
            return True
        return marker.holder.is_dead(self._me)

    def _body(self, created_at: float) -> bytes:
        marker = Marker(created_at=created_at, holder=self._me, until=self._clock() + LEASE_S)
        return marker.model_dump_json().encode()

    def _key(self, job: Job) -> str:
        return self._keys.pending_job(job.owner, job.kind, job.id)


def _parse(body: bytes) -> Marker | None:
    """A marker that does not decode holds nothing but the job's name, which is in its key."""
    try:
        return Marker.model_validate_json(body)
    except ValidationError:
        return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

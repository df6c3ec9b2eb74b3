"""A user's session that writes as the page does: through the service of clips, with an Idempotency-Key each time."""

import asyncio
import random
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.clips.schemas import ClipChange
from app.clips.service import ClipsService
from app.kit.owner import Owner
from app.library.context import begin_report
from app.library.intent import Idempotency, Intent
from app.library.libraries import Libraries
from bench.library.wording import notes

_FIRST_CHANGE = datetime(2026, 3, 1, 9, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_MOST_OWED = 24


class Hours:
    """A clock on which changes are an hour apart: the answers kept for 48 h are then as many at the end as before.

    No time passes while a change is under way, so that none waits for hours; now and then all pause to let it pass.
    """

    def __init__(self) -> None:
        self._now = _FIRST_CHANGE
        self._owed = self._under_way = 0
        self._idle = asyncio.Event()

    def __call__(self) -> datetime:
        return self._now

    @asynccontextmanager
    async def change(self) -> AsyncIterator[None]:
        """Around each change."""
        while self._owed >= _MOST_OWED and self._under_way:
            self._idle.clear()
            await self._idle.wait()
        if not self._under_way:
            self._now += self._owed * _HOUR
            self._owed = 0
        self._owed += 1
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()


@dataclass(frozen=True)
class Desk:
    """One library and what its sessions share: the clips with their revisions, and the clock."""

    owner: Owner
    revisions: MutableMapping[str, int]
    clock: Hours


class Session:
    """Changes the notes of its own share of the clips, one after the other; `share` of (index, count)."""

    def __init__(self, libraries: Libraries, desk: Desk, share: tuple[int, int] = (0, 1)) -> None:
        index, count = share
        self._service = ClipsService(libraries)
        self._desk = desk
        self._clip_ids = sorted(desk.revisions)[index::count]
        self._random = random.Random(f"session/{desk.owner.user_id}/{index}/{sum(desk.revisions.values())}")
        # One browser's: no change of another writer is a conflict, and they may share a record.
        self._name = f"ses-{desk.owner.user_id}"
        self._seen: int | None = None
        self._changes = 0

    async def change(self) -> None:
        """One small change; returns once it is acknowledged."""
        clip_id = self._clip_ids[self._changes % len(self._clip_ids)]
        self._changes += 1
        key = Idempotency(self._random.randbytes(16).hex(), self._random.randbytes(32).hex())
        change = ClipChange(expected_revision=self._desk.revisions[clip_id], notes=notes(self._random))
        report = begin_report()
        async with self._desk.clock.change():
            intent = Intent(self._name, self._seen, key)
            changed = await self._service.change(self._desk.owner, intent, clip_id, change)
        self._desk.revisions[clip_id] = changed.revision
        self._seen = report.version

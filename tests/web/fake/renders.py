"""Framing renders that advance by themselves, told to WebSockets: a snapshot first, then progress, then the end.

`hold_at` keeps every render at that percentage until it is None; `fail_next` lets the next attempt fail. Who connects
while `takes_sockets` is False waits.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.web.fake.problems import ProblemError

Row = dict[str, Any]
FINAL = ("complete", "failed", "cancelled")
STEPS = 10
STEP_SECONDS = 0.02


class Renders:
    def __init__(self, reel_file: bytes) -> None:
        self.reel_file = reel_file
        self.jobs: dict[str, Row] = {}
        self.reels: dict[str, Row] = {}
        self.hold_at: int | None = None
        self.fail_next = False
        self.takes_sockets = True
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: set[WebSocket] = set()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, project_id: str, frames: int) -> Row:
        job: Row = {
            "id": f"export-{len(self.jobs) + 1}",
            "kind": "framing",
            "project_id": project_id,
            "attempt": 0,
            "frames_total": frames,
            "reel_id": None,
            "created_at": datetime.now(UTC).isoformat(),
            "updated_at": datetime.now(UTC).isoformat(),
        }
        self.jobs[job["id"]] = job
        return self._attempt(job)

    def retry(self, export_id: str) -> Row:
        return self._attempt(self.job(export_id))

    async def cancel(self, export_id: str) -> Row:
        job = self.job(export_id)
        job["status"] = "cancelled"
        await self._tell()
        return job

    def job(self, export_id: str) -> Row:
        if export_id not in self.jobs:
            raise ProblemError(404, "not_found", f"There is no export {export_id}.")
        return self.jobs[export_id]

    def reel(self, reel_id: str) -> Row:
        if reel_id not in self.reels:
            raise ProblemError(404, "not_found", f"There is no reel {reel_id}.")
        return self.reels[reel_id]

    def add_reel(self, project_id: str, frames: int) -> Row:
        reel: Row = {
            "id": f"reel-{len(self.reels) + 1}",
            "export_id": f"export-{len(self.reels) + 1}",
            "project_id": project_id,
            "version": 1,
            "width": 180,
            "height": 320,
            "frame_count": frames,
            "fps_num": 30,
            "fps_den": 1,
            "duration_ms": round(1000 * frames / 30),
            "size_bytes": len(self.reel_file),
            "sha256": "0" * 64,
            "current": True,
            "created_at": datetime.now(UTC).isoformat(),
        }
        self.reels[reel["id"]] = reel
        return reel

    async def release(self) -> None:
        """Lets held renders go on."""
        self.hold_at = None
        await self._tell()

    async def take_sockets(self) -> None:
        """Lets in who waits."""
        self.takes_sockets = True
        await self._tell()

    async def drop_sockets(self) -> None:
        """Cuts every WebSocket, as a proxy that restarts does."""
        dropped, self._sockets = self._sockets, set()
        await self._tell()
        for socket in dropped:
            with suppress(RuntimeError):  # the page closed it first
                await socket.close(1012)

    async def tell_late(self, export_id: str, percent: int) -> None:
        """Sends an outdated message, as a late one on the way would be."""
        late = self.job(export_id) | {"progress_percent": percent, "frames_done": 0, "phase": "reading"}
        for socket in self._sockets:
            await socket.send_json({"type": "progress", "export": late})

    async def follow(self, socket: WebSocket, export_id: str) -> None:
        await self._until(lambda: self.takes_sockets)
        await socket.accept()
        if export_id not in self.jobs:
            return await socket.close(4404)
        self._sockets.add(socket)
        kind = "snapshot"
        try:
            while socket in self._sockets:
                job = dict(self.jobs[export_id])
                await socket.send_json({"type": kind, "export": job})
                if job["status"] in FINAL:
                    return await socket.close(1000)
                await self._until(partial(self._has_news, socket, job))
                kind = self.jobs[export_id]["status"] if self.jobs[export_id]["status"] in FINAL else "progress"
        except (WebSocketDisconnect, RuntimeError):
            return None
        finally:
            self._sockets.discard(socket)

    def _attempt(self, job: Row) -> Row:
        job |= {"status": "pending", "phase": "queued", "frames_done": 0, "progress_percent": 0, "error": None}
        job["attempt"] += 1
        task = asyncio.create_task(self._render(job, should_fail=self.fail_next))
        self.fail_next = False
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return dict(job)

    async def _render(self, job: Row, *, should_fail: bool) -> None:
        for step in range(1, STEPS + 1):
            await asyncio.sleep(STEP_SECONDS)
            if job["status"] == "cancelled":
                return await self._tell()
            percent = 100 * step // STEPS
            job |= {"status": "running", "phase": "rendering", "progress_percent": percent}
            job["frames_done"] = job["frames_total"] * step // STEPS
            await self._tell()
            if should_fail and step == STEPS // 2:
                job |= {"status": "failed", "error": {"code": "internal", "message": "The machine was lost."}}
                return await self._tell()
            await self._until(partial(self._may_pass, job, percent))
        reel = self.add_reel(job["project_id"], job["frames_total"])
        job |= {"status": "complete", "reel_id": reel["id"]}
        return await self._tell()

    def _has_news(self, socket: WebSocket, told: Row) -> bool:
        return socket not in self._sockets or self.jobs[told["id"]] != told

    def _may_pass(self, job: Row, percent: int) -> bool:
        return self.hold_at is None or percent < self.hold_at or job["status"] == "cancelled"

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

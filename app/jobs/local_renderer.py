"""Renderer that runs the media functions as child processes on this machine: few at a time, niced, and killable.

What comes beyond the bound waits in this process, before anything of it is started. Probes have a bound of their own:
an upload need not wait for somebody's export.
"""

import asyncio
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

import gpu
from app.jobs.media_process import MediaProcess
from app.jobs.outcome import Outcome, probe_response, render_response
from app.jobs.renderer import CallLostError, OnProgress, RendererUnavailableError
from gpu.contract import (
    PROBE_FUNCTION,
    RENDER_FUNCTION,
    MediaError,
    ProbeRequest,
    ProbeResponse,
    RenderProgress,
    RenderRequest,
    RenderResponse,
)

_LOGGER = logging.getLogger(__name__)
_COMMAND = (sys.executable, "-m", "gpu.render")
_NICENESS = 10
_PROBES = 2
_CORES_OF_A_RENDER = 4
"""It encodes up to four parts side by side."""
_PROBE_LIMIT_S = 120.0
_RENDER_LIMIT_S = 3600.0


class LocalRenderer:
    """Renderer (`app.jobs.renderer`). A call lives as long as this process: after a restart it is lost."""

    name = "local"

    def __init__(
        self,
        command: Sequence[str] = _COMMAND,
        *,
        media_hosts: str = "",
        render_limit_s: float = _RENDER_LIMIT_S,
        slots: int | None = None,
    ) -> None:
        """`media_hosts` are the only ones (`host:port,...`) that the media work may talk to; empty allows all."""
        self._command = tuple(command)
        self._environment = {"MEDIA_HOSTS": media_hosts} if media_hosts else {}
        self._render_limit_s = render_limit_s
        self._calls: dict[str, _Call] = {}
        self.slots = slots or max(1, (os.cpu_count() or 1) // _CORES_OF_A_RENDER)
        self._renders = asyncio.Semaphore(self.slots)
        self._probes = asyncio.Semaphore(_PROBES)

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        async with self._probes:
            try:
                outcome = await self._run(PROBE_FUNCTION, request, _PROBE_LIMIT_S, lambda _: None)
            except OSError as error:
                raise RendererUnavailableError(f"{self._command[0]} does not start: {error.strerror}") from error
        return probe_response(outcome)

    async def start(self, request: RenderRequest) -> str:
        """The call may wait for others to end; its time is counted from when it runs."""
        await self.check()
        call_id = f"local-{secrets.token_hex(8)}"
        self._calls[call_id] = _Call(lambda on_progress: self._rendered(call_id, request, on_progress))
        return call_id

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        call = self._calls.get(call_id)
        if call is None:
            raise CallLostError(call_id)
        try:
            outcome = await call.wait(on_progress)
        finally:
            self._calls.pop(call_id, None)
        return render_response(outcome)

    async def progress(self, progress_key: str) -> RenderProgress | None:
        """Only the process that started the call knows it."""
        return None

    async def cancel(self, call_id: str) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            await call.end()

    async def check(self) -> None:
        if shutil.which(self._command[0]) is None:
            raise RendererUnavailableError(f"{self._command[0]} is no executable")
        module = Path(gpu.__file__ or "").parent / "render" / "__main__.py"
        if self._command == _COMMAND and not module.is_file():
            raise RendererUnavailableError("gpu.render is not installed here; set MODAL_ENABLED=true")

    async def close(self) -> None:
        for call_id in list(self._calls):
            await self.cancel(call_id)

    async def _rendered(self, call_id: str, request: RenderRequest, on_progress: OnProgress) -> Outcome:
        if self._renders.locked():
            on_progress(RenderProgress(phase="queued", frames_done=0, frames_total=0))
        async with self._renders:
            try:
                return await self._run(RENDER_FUNCTION, request, self._render_limit_s, on_progress)
            except OSError as error:
                _LOGGER.warning("%s does not start: %s", self._command[0], error.strerror)
                raise CallLostError(call_id) from error

    async def _run(self, function: str, request: BaseModel, limit_s: float, on_progress: OnProgress) -> Outcome:
        """In a folder of its own for temporary files, which a child that is killed cannot remove. Raises OSError."""
        command = (*self._command, "--request", function, "--nice", str(_NICENESS))
        with tempfile.TemporaryDirectory(prefix="media-", ignore_cleanup_errors=True) as folder:
            environment = {**self._environment, "TMPDIR": folder}
            child = await MediaProcess.start(command, request.model_dump_json(), environment)
            return await _outcome(child, limit_s, on_progress)


class _Call:
    """A render that waits or is under way. It is read from its start, so that it never waits for a listener."""

    def __init__(self, work: Callable[[OnProgress], Awaitable[Outcome]]) -> None:
        self._latest: RenderProgress | None = None
        self._listener: OnProgress | None = None
        self._task = asyncio.ensure_future(work(self._note))

    async def wait(self, on_progress: OnProgress) -> Outcome:
        """Cancelling the wait ends the call."""
        self._listener = on_progress
        if self._latest is not None:
            on_progress(self._latest)
        return await self._task

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def _note(self, progress: RenderProgress) -> None:
        self._latest = progress
        if self._listener is not None:
            self._listener(progress)


async def _outcome(child: MediaProcess, limit_s: float, on_progress: OnProgress) -> Outcome:
    """The response as a dict, or a MediaError when the child broke; the child is gone in any case."""
    try:
        async with asyncio.timeout(limit_s):
            response = await _read(child, on_progress)
            status, log = await child.finish()
    except TimeoutError:
        return MediaError(code="internal", message=f"the media work took longer than {limit_s:.0f} s and was ended")
    finally:
        await child.kill()
    if status == 0 and response is not None:
        return response
    what = "a response" if response else "no response"
    _LOGGER.error("the media process exited with %d and %s; its log ends: %s", status, what, log)
    return MediaError(code="internal", message="the media process broke; the server's log has the details")


async def _read(child: MediaProcess, on_progress: OnProgress) -> dict[str, Any] | None:
    response: dict[str, Any] | None = None
    async for message in child.messages():
        kind = message.pop("type", None)
        if kind == "response":
            response = message
        elif kind == "progress":
            try:
                on_progress(RenderProgress.model_validate(message))
            except ValidationError:
                _LOGGER.warning("the media process reported progress that does not fit the contract")
    return response

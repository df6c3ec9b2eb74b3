"""Renderer that runs the media functions on Modal. A call outlives this process: its id is enough to find it."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from app.jobs.outcome import Outcome, probe_response, render_response
from app.jobs.renderer import CallLostError, OnProgress, RemoteFailureError, RendererUnavailableError
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

if TYPE_CHECKING:
    from app.jobs.modal_client import ModalClient

_LOGGER = logging.getLogger(__name__)
_SLOTS = 100
_POLL_S = 0.5
_LONGEST_PAUSE_S = 15.0
_PROBE_LIMIT_S = 300.0
_RENDER_LIMIT_S = 3 * 3600.0


class ModalRenderer:
    """Renderer (`app.jobs.renderer`). An error of the provider is never taken for the end of a call, only time is."""

    name = "modal"
    slots = _SLOTS

    def __init__(
        self,
        environment: str | None,
        client: "ModalClient | None" = None,
        *,
        poll_s: float = _POLL_S,
        render_limit_s: float = _RENDER_LIMIT_S,
    ) -> None:
        self._environment = environment
        self._client = client
        self._poll_s = poll_s
        self._render_limit_s = render_limit_s
        self._import_lock = asyncio.Lock()

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        call_id = await (await self._modal()).spawn(PROBE_FUNCTION, request.model_dump(mode="json"))
        try:
            outcome = await self._outcome(call_id, _PROBE_LIMIT_S, None, lambda _: None)
        except CallLostError as error:
            raise RendererUnavailableError("Modal forgot the probe; try again in a moment") from error
        return probe_response(outcome)

    async def start(self, request: RenderRequest) -> str:
        return await (await self._modal()).spawn(RENDER_FUNCTION, request.model_dump(mode="json"))

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        outcome = await self._outcome(call_id, self._render_limit_s, progress_key, on_progress)
        await (await self._modal()).forget_progress(progress_key)
        return render_response(outcome)

    async def progress(self, progress_key: str) -> RenderProgress | None:
        try:
            return _progress(await (await self._modal()).progress(progress_key))
        except RendererUnavailableError:
            return None

    async def cancel(self, call_id: str) -> None:
        await (await self._modal()).cancel(call_id)

    async def check(self) -> None:
        await (await self._modal()).check(RENDER_FUNCTION)

    async def close(self) -> None:
        """Calls run on: the next process waits for them."""

    async def _modal(self) -> "ModalClient":
        async with self._import_lock:
            if self._client is None:
                self._client = await asyncio.to_thread(_new_client, self._environment)
            return self._client

    async def _outcome(
        self, call_id: str, limit_s: float, progress_key: str | None, on_progress: OnProgress
    ) -> Outcome:
        client = await self._modal()
        give_up = time.monotonic() + limit_s
        pause = self._poll_s
        while time.monotonic() < give_up:
            try:
                response = await client.poll(call_id)
                latest = _progress(await client.progress(progress_key)) if progress_key else None
                pause = self._poll_s
            except RemoteFailureError as error:
                _LOGGER.error("call %s failed on Modal: %s", call_id, error, exc_info=error)
                return MediaError(code="internal", message="the media function broke; its log on Modal has the details")
            except RendererUnavailableError as error:
                _LOGGER.warning("%s", error)
                response, latest = None, None
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            if latest is not None:
                on_progress(latest)
            if response is not None:
                return response
            await asyncio.sleep(pause)
        await client.cancel(call_id)
        return MediaError(code="internal", message=f"the media work took longer than {limit_s:.0f} s and was ended")


def _new_client(environment: str | None) -> "ModalClient":
    from app.jobs.modal_client import ModalClient

    return ModalClient(environment)


def _progress(latest: dict[str, Any] | None) -> RenderProgress | None:
    if latest is None:
        return None
    try:
        return RenderProgress.model_validate(latest)
    except ValidationError:
        _LOGGER.warning("the media function published progress that does not fit the contract")
        return None

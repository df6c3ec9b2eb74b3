"""The port to the media functions (`gpu.contract`): where they run is a matter of configuration."""

from collections.abc import Callable
from typing import Protocol

from app.kit.errors import UnavailableError
from gpu.contract import ProbeRequest, ProbeResponse, RenderProgress, RenderRequest, RenderResponse

OnProgress = Callable[[RenderProgress], None]


class RendererUnavailableError(UnavailableError):
    """No definite answer from the renderer. It says nothing about the call, which may well be running."""

    code = "renderer_unavailable"
    title = "Renderer is unavailable"


class CallLostError(Exception):
    """The renderer does not know the call (any more): it must be started again."""


class RemoteFailureError(Exception):
    """A remote function ended without a response: it raised, ran out of time or was ended."""


class Renderer(Protocol):
    """A failure of the media work is part of the response (`error`); only the renderer's own troubles are raised."""

    @property
    def name(self) -> str:
        """Stored with a call id: another renderer cannot wait for it."""

    @property
    def slots(self) -> int:
        """How many renders this process may have under way."""

    async def probe(self, request: ProbeRequest) -> ProbeResponse:
        """Raises RendererUnavailableError."""

    async def start(self, request: RenderRequest) -> str:
        """The id of the call, which now runs; raises RendererUnavailableError."""

    async def wait(self, call_id: str, progress_key: str, on_progress: OnProgress) -> RenderResponse:
        """Raises CallLostError. When this is cancelled, a local call ends and a remote one runs on."""

    async def progress(self, progress_key: str) -> RenderProgress | None:
        """Latest progress of a call that another process waits for, where it can be known."""

    async def cancel(self, call_id: str) -> None:
        """End the call; an unknown or finished one is fine. Raises RendererUnavailableError."""

    async def check(self) -> None:
        """Raises RendererUnavailableError when a call would not be accepted now."""

    async def close(self) -> None:
        """End what cannot outlive this process."""

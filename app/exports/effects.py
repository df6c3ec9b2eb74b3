"""What an export does outside its library once a commit is durable: end a render call that nobody waits for any more.

It is posted in the commit that lets go of the call, so that no crash leaves the call running, and paid for.
"""

import logging
import sqlite3

from pydantic import BaseModel

from app.jobs.renderer import Renderer
from app.kit.owner import Owner
from app.library import outbox

END_CALL = "end-call"
_LOGGER = logging.getLogger(__name__)


class _Call(BaseModel, frozen=True):
    """A call id means something to the renderer of this name only, and is never given again."""

    renderer: str
    call_id: str


def end_call(db: sqlite3.Connection, renderer: str, call_id: str) -> None:
    """To be called in the handler that lets go of the call."""
    outbox.post(db, END_CALL, _Call(renderer=renderer, call_id=call_id).model_dump_json())


class CallEnds:
    """Carries out END_CALL (`Libraries.carry_out`); ending a call that is over, or was ended before, does nothing."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def carry_out(self, owner: Owner, body_json: str) -> None:
        """Raises RendererUnavailableError: try again later."""
        call = _Call.model_validate_json(body_json)
        if call.renderer != self._renderer.name:
            _LOGGER.error(
                "call %s of user %s is left to run to its end: it is on %s, this server renders on %s",
                call.call_id,
                owner.user_id,
                call.renderer,
                self._renderer.name,
            )
            return
        await self._renderer.cancel(call.call_id)

"""Do sockets open for pages of the app, and for no others? An export that does not exist is asked for: 4404."""

import asyncio

from websockets.exceptions import ConnectionClosed

from infra.deploy.errors import DeployError
from infra.deploy.verify.report import Check
from infra.deploy.verify.visit import FOREIGN_ORIGIN, TIMEOUT_S, Visit

OWN = "WebSocket, own origin"
NOWHERE = "/ws/export/exp_verify"
FORBIDDEN = 4403
NOT_FOUND = 4404


def checks(visit: Visit) -> list[Check]:
    return [
        Check(OWN, lambda: own(visit), ("identity", "readiness")),
        Check("WebSocket, foreign origin", lambda: foreign(visit), ("identity",)),
    ]


async def own(visit: Visit) -> str:
    code, reason = await _closing(visit, visit.outputs.app_url)
    if code != NOT_FOUND:
        raise DeployError(f"a socket from {visit.outputs.app_url} was closed with {code} ({reason}), not {NOT_FOUND}")
    return f"{visit.outputs.app_url} may connect"


async def foreign(visit: Visit) -> str:
    code, reason = await _closing(visit, FOREIGN_ORIGIN)
    if code != FORBIDDEN:
        raise DeployError(f"a socket from {FOREIGN_ORIGIN} was closed with {code} ({reason}), not {FORBIDDEN}")
    return f"other origins are closed with {FORBIDDEN}"


async def _closing(visit: Visit, origin: str) -> tuple[int | None, str | None]:
    async with asyncio.timeout(TIMEOUT_S), visit.api.socket(NOWHERE, origin) as socket:
        try:
            said = await socket.recv()
        except ConnectionClosed:
            return socket.close_code, socket.close_reason
    raise DeployError(f"a socket to an export that does not exist said {str(said)[:100]!r}")

"""The progress of an export over its socket."""

import json
from collections.abc import AsyncIterator, Callable

from websockets.exceptions import ConnectionClosed

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Api, Json

FINAL = frozenset({"complete", "failed", "cancelled"})
RECONNECTS = 5


async def follow(api: Api, export_id: str, say: Callable[[str], None]) -> AsyncIterator[Json]:
    """States of an export until its last; a lost connection is made again and starts with a snapshot."""
    for _ in range(RECONNECTS):
        try:
            async with api.socket(f"/ws/export/{export_id}") as socket:
                async for text in socket:
                    message = json.loads(text)
                    if message["type"] != "heartbeat":
                        yield message["export"]
                    if message.get("export", {}).get("status") in FINAL:
                        return
        except (ConnectionClosed, OSError) as error:
            say(f"progress connection lost ({type(error).__name__}), connecting again")
    raise DeployError(f"the progress of export {export_id} ended {RECONNECTS} times without a result")


def completed(job: Json) -> str:
    """The id of the reel that the export made; raises DeployError when it ended in another way."""
    if job["status"] != "complete":
        reason = (job["error"] or {}).get("message", "no reason given")
        raise DeployError(f"the export ended as {job['status']}: {reason}")
    return str(job["reel_id"])

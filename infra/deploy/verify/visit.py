"""What one verification knows and makes: the outputs, who it is, and what later rows need from earlier ones."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Api, Caller, Json
from infra.deploy.verify.outputs import HIDDEN, Outputs

SMOKE_USER = "smoke"
FOREIGN_ORIGIN = "https://not-the-app.invalid"
TIMEOUT_S = 30.0
LAST_WORD_S = 60.0
SHOW_SECRETS = "write them with `pulumi stack output --json --show-secrets`"


@dataclass
class Made:
    """What rows leave for later rows; `links` are presigned URLs of bytes that must be gone in the end."""

    media: Json = field(default_factory=dict)
    clip: Json = field(default_factory=dict)
    kinds: Sequence[str] = ()
    jobs: dict[str, Json] = field(default_factory=dict)
    reels: dict[str, str] = field(default_factory=dict)
    links: set[str] = field(default_factory=set)


class Visit:
    """One run against one stack; `scratch` is a folder that is gone afterwards."""

    def __init__(self, outputs: Outputs, scratch: Path) -> None:
        self.outputs = outputs
        self.scratch = scratch
        self.made = Made()
        self.listeners: dict[str, asyncio.Task[list[Json]]] = {}
        token = outputs.token
        usable = token and token != HIDDEN
        self.web = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self.api = Api(outputs.api_url, Caller.bearing(token) if token and usable else Caller.named(SMOKE_USER))

    async def get(self, url: str, **headers: str) -> httpx.Response:
        """The answer with status 200, asked for as nobody; raises DeployError."""
        answer = await self.web.get(url, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise DeployError(f"{url} answered {answer.status_code}")
        return answer

    async def hang_up(self) -> None:
        """End the sockets that still listen."""
        for listener in self.listeners.values():
            listener.cancel()
        await asyncio.gather(*self.listeners.values(), return_exceptions=True)

    @property
    def recording(self) -> Path:
        return self.scratch / "recording.mp4"

    def expected_user(self, environment: str) -> str:
        """Who this must be: a user that nobody else is, whose library may be emptied."""
        return f"dev-{environment}" if self.outputs.token else SMOKE_USER

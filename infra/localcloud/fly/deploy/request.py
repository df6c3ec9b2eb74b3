"""What flyctl asks of a deploy, after it has read flags and fly.toml; paths are absolute."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from infra.localcloud.fly.errors import InvalidError

STRATEGIES = ("canary", "rolling", "immediate", "bluegreen")
DEFAULT_WAIT_S = 300.0


class DeployFailedError(InvalidError):
    """`details` are the lines that flyctl prints below the error."""

    def __init__(self, message: str, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.details = details or []


class BuildRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    context: Path
    dockerfile: Path
    ignorefile: Path | None = None
    arguments: dict[str, str] = {}
    target: str = ""
    label: str = ""


class DeployRequest(BaseModel):
    """Either `image` or `build`; with neither the last release's image and configuration are deployed again."""

    model_config = ConfigDict(extra="forbid")

    config: dict[str, Any] | None = None
    image: str | None = None
    build: BuildRequest | None = None
    strategy: str | None = None
    wait_timeout_s: float = DEFAULT_WAIT_S
    env: dict[str, str] = {}
    ha: bool = True
    detach: bool = False
    smoke_checks: bool = True

"""What flyctl asks of a deploy, after it has read flags and fly.toml; paths are absolute."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from infra.localcloud.fly.durations import parse_duration
from infra.localcloud.fly.errors import InvalidError

STRATEGIES = ("canary", "rolling", "immediate", "bluegreen")
DEFAULT_WAIT_S = 300.0
NO_TIMEOUT_S = 30 * 86400.0
DEFAULT_MAX_UNAVAILABLE = 0.33


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

    config_name: str = "fly.toml"
    config: dict[str, Any] | None = None
    image: str | None = None
    build: BuildRequest | None = None
    strategy: str | None = None
    wait_timeout: str = f"{DEFAULT_WAIT_S:g}s"
    env: dict[str, str] = {}
    ha: bool = True
    detach: bool = False
    smoke_checks: bool = True
    max_unavailable: float | None = None
    release_command_timeout_s: float | None = None
    skip_release_command: bool = False

    @property
    def wait_timeout_s(self) -> float:
        """Raises InvalidError in flyctl's words."""
        text = self.wait_timeout
        if text == "none":
            return NO_TIMEOUT_S
        if text.isdigit():
            return float(text)
        try:
            return parse_duration(text)
        except ValueError:
            raise InvalidError(
                f"invalid duration value {text} used for --wait-timeout flag: valid options are a number of seconds, "
                "number with time unit (i.e.: 5m, 180s) or 'none'"
            ) from None

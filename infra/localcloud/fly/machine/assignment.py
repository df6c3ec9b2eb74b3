"""What a machine runs, and what it needs of its app."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from infra.localcloud.fly.config import Config
from infra.localcloud.fly.images.store import ImageStore
from infra.localcloud.fly.logs import AppLog
from infra.localcloud.fly.model import ImageReference, Release


class Host(Protocol):
    """What a machine needs of its app."""

    name: str
    images: ImageStore
    log: AppLog
    python: Path
    session: aiohttp.ClientSession

    def deployed_secrets(self) -> dict[str, str]: ...
    def save(self) -> None: ...
    def changed(self) -> None: ...


@dataclass(frozen=True)
class Assignment:
    """What a release puts on a machine."""

    image: ImageReference
    config: Config
    release: Release

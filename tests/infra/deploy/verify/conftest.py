"""One prepared video for all, and a world for each test."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gpu.sample.writer import write_sample
from infra.deploy.verify import recording
from infra.deploy.verify.report import Report
from infra.deploy.verify.rounds import verify
from tests.infra.deploy.world import HEIGHT, VERSION, WIDTH, FileRenderer, World, world

Verify = Callable[..., Any]


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames of 1080x1920, as a reel has them."""
    path = tmp_path_factory.mktemp("video") / "reel.mp4"
    write_sample(path, 2, width=WIDTH, height=HEIGHT)
    return path


@pytest.fixture
async def stack(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A stack that is in order; the recording is a copy of the prepared video."""
    monkeypatch.setenv("GIT_SHA", VERSION)
    monkeypatch.setattr("app.http.service_routes.version", lambda: VERSION)

    def copied(command: list[str], **options: Any) -> str:
        shutil.copy(video, command[3])
        return ""

    monkeypatch.setattr(recording, "run", copied)
    async with world(tmp_path, FileRenderer(video.read_bytes())) as made:
        yield made


async def verified(stack: World, **changes: Any) -> Report:
    """The report about the stack as its outputs, changed like this, describe it."""
    said: list[str] = []
    return await verify(stack.outputs(**changes), said.append)

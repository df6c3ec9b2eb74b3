"""The local renderer with the real command: what a render that ends early leaves of its processes and files."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from app.jobs.local_renderer import LocalRenderer
from gpu.contract import RenderProgress, RenderRequest, RenderResponse
from gpu.plan.spec import ClipEdit, EditSpec, OutputSize
from gpu.sample.writer import write_sample
from tests.app.waiting import until_true
from tests.gpu.render.storage import Storage, serving

SECONDS, TIMES = 5, 40
"""The reel is the recording over and over: long enough that its parts are encoded still when a test comes to act."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("renders") / "game.mp4"
    write_sample(path, SECONDS, width=320, height=180)
    return path.read_bytes()


@pytest.fixture
def storage(video: bytes) -> Iterator[Storage]:
    with serving() as running:
        running.objects["game.mp4"] = video
        yield running


@pytest.fixture
async def renderer(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalRenderer]:
    """Its temporary files and those of its children are in `tmp_path`."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    renderer = LocalRenderer(media_hosts=f"127.0.0.1:{storage.port}")
    yield renderer
    await renderer.close()


class Render:
    """A render whose parts are being encoded."""

    def __init__(self, call_id: str, waiting: "asyncio.Task[RenderResponse]", family: list[psutil.Process]) -> None:
        self.call_id, self.waiting, self.family = call_id, waiting, family

    @property
    def command(self) -> psutil.Process:
        return self.family[0]

    async def gone(self) -> None:
        await until_true(lambda: not any(map(alive, self.family)))


async def begun(renderer: LocalRenderer, storage: Storage) -> Render:
    request = RenderRequest(
        progress_key="key",
        kind="framing",
        spec=EditSpec(
            clips=(ClipEdit(in_frame=0, out_frame=SECONDS * 30),) * TIMES, size=OutputSize(width=1280, height=720)
        ),
        source_urls=(storage.url("game.mp4"),),
        output_url=storage.url("reel.mp4"),
    )
    before = psutil.Process().children()
    call_id = await renderer.start(request)
    seen: list[RenderProgress] = []
    waiting = asyncio.create_task(renderer.wait(call_id, "key", seen.append))
    await until_true(lambda: waiting.done() or (bool(seen) and seen[-1].frames_done > 0))
    assert not waiting.done(), waiting
    (command,) = (process for process in psutil.Process().children() if process not in before)
    return Render(call_id, waiting, [command, *command.children(recursive=True)])


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def test_every_process_of_a_render_is_niced(renderer: LocalRenderer, storage: Storage) -> None:
    render = await begun(renderer, storage)
    assert len(render.family) >= 3
    assert min(process.nice() for process in render.family) >= min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


async def test_a_cancelled_render_leaves_no_process_no_object_and_no_file(
    renderer: LocalRenderer, storage: Storage, tmp_path: Path
) -> None:
    render = await begun(renderer, storage)
    await renderer.cancel(render.call_id)
    await render.gone()
    assert "reel.mp4" not in storage.objects
    assert list(tmp_path.iterdir()) == []


async def test_a_killed_command_is_an_error_and_leaves_no_process_no_object_and_no_file(
    renderer: LocalRenderer, storage: Storage, tmp_path: Path
) -> None:
    render = await begun(renderer, storage)
    render.command.send_signal(signal.SIGKILL)
    response = await render.waiting
    await render.gone()
    assert response.error is not None
    assert response.error.code == "internal"
    assert "reel.mp4" not in storage.objects
    assert list(tmp_path.iterdir()) == []


async def test_a_part_that_is_killed_fails_the_render(renderer: LocalRenderer, storage: Storage) -> None:
    render = await begun(renderer, storage)
    render.family[-1].send_signal(signal.SIGKILL)
    response = await render.waiting
    await render.gone()
    assert response.error is not None
    assert response.error.code == "internal"
    assert "reel.mp4" not in storage.objects

"""An upscale of several chunks on a deployed app: real `modal deploy`, real client, containers of the stand-in."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import modal
import psutil
import pytest
import pytest_asyncio
from modal_proto import api_pb2

from gpu.contract import APP_NAME, PROGRESS_DICT, UPSCALE_FUNCTION, UpscaleResponse
from gpu.functions.upscale import UPSCALE
from gpu.functions.work import probe_url
from gpu.sample.writer import write_sample
from infra.localcloud.modal import Modal, scheduler
from tests.gpu.render.storage import Storage, serving
from tests.infra.localcloud.modal.harness import ENVIRONMENT, TOKENS, connect, eventually, modal_cli

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[2]
FRAMES, CHUNKS = 135, 3
READERS = CHUNKS + 1
"""Of the source, after it was probed: the chunks and the sound."""
WAIT_S = 90.0
"""At most, for what a busy machine does late."""


class Gated(dict[str, bytes]):
    """Objects of which so many GETs are answered at once and all others when the gate is opened."""

    def __init__(self, objects: dict[str, bytes], free: int) -> None:
        super().__init__(objects)
        self._free, self._lock = free, threading.Lock()
        self._gate = threading.Event()

    def get(self, name: str, default: Any = None) -> Any:
        with self._lock:
            self._free -= 1
            is_free = self._free >= 0
        if not is_free:
            self._gate.wait()
        return super().get(name, default)

    @property
    def held(self) -> int:
        """GETs that have met the closed gate."""
        return max(0, -self._free)

    def open(self) -> None:
        self._gate.set()


@dataclass(frozen=True)
class Deployed:
    """The app on a stand-in that allows one storage, and what that storage has."""

    cloud: Modal
    client: modal.Client
    storage: Storage

    async def start(self, key: str) -> Any:
        upscale = modal.Function.from_name(APP_NAME, UPSCALE_FUNCTION, environment_name=ENVIRONMENT, client=self.client)
        return await upscale.spawn.aio(self.request(key))

    def request(self, key: str) -> dict[str, Any]:
        size = {"width": 96, "height": 96}
        addresses = {"source_url": self.storage.url("game.mp4"), "output_url": self.storage.url("large.mp4")}
        return {"progress_key": key, **addresses, "size": size}

    async def progress(self) -> dict[Any, Any]:
        progress = modal.Dict.from_name(PROGRESS_DICT, environment_name=ENVIRONMENT, client=self.client)
        return {key: value async for key, value in progress.items.aio()}

    def chunk_containers(self) -> list[psutil.Process]:
        return [one for one in psutil.Process().children(recursive=True) if runs(one, "upscale_chunk")]

    def gate(self) -> Gated:
        """Lets the outer call probe the source and nobody read more of it."""
        before = len(self.storage.requests)
        probe_url(self.storage.url("game.mp4"))
        self.storage.objects = gated = Gated(self.storage.objects, len(self.storage.requests) - before)
        return gated


def runs(process: psutil.Process, function: str) -> bool:
    """Whether it is the container of a function."""
    try:
        arguments = Path(process.environ().get("MODAL_CONTAINER_ARGUMENTS_PATH", "/none"))
        is_entrypoint = process.cmdline()[1:] == ["-m", "modal._container_entrypoint"]
        defined = api_pb2.ContainerArguments.FromString(arguments.read_bytes()).function_def
    except (psutil.Error, OSError):
        return False
    return is_entrypoint and defined.function_name == function


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """45 seconds of few small pictures, with sound."""
    path = tmp_path_factory.mktemp("upscale") / "game.mp4"
    write_sample(path, 45, width=64, height=64, rate=Fraction(3))
    return path.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(game: bytes, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployed]:
    folder = tmp_path_factory.mktemp("modal")
    cloud = Modal(folder / "state", python=Path(sys.executable), tokens=TOKENS, environments=[ENVIRONMENT])
    with serving() as storage:
        storage.objects["game.mp4"] = game
        await cloud.start()
        try:
            values = folder / "values.json"
            values.write_text(f'{{"MEDIA_HOSTS": "127.0.0.1:{storage.port}"}}')
            secret = ["secret", "create", "reel-ballers-gpu", "--from-json", str(values), "--env", ENVIRONMENT]
            for arguments in (secret, ["deploy", "-m", "gpu.app", "--env", ENVIRONMENT]):
                done = await modal_cli(cloud.server_url, *arguments, cwd=ROOT)
                assert done.returncode == 0, done.output
            client = await connect(cloud.server_url)
            yield Deployed(cloud, client, storage)
            await client.close.aio()
        finally:
            await cloud.stop()


@pytest.fixture
def storage(app: Deployed, game: bytes) -> Iterator[Storage]:
    yield app.storage
    if isinstance(app.storage.objects, Gated):
        app.storage.objects.open()
    app.storage.objects = {"game.mp4": game}


async def answer_of(call: Any) -> UpscaleResponse:
    return UpscaleResponse.model_validate(await call.get.aio(timeout=2 * WAIT_S))


async def test_several_containers_make_the_bytes_that_one_process_makes(app: Deployed, storage: Storage) -> None:
    started = app.cloud.counts["FunctionMap"]
    there = await answer_of(await app.start("attempt-1"))
    made = storage.objects.pop("large.mp4")
    assert app.cloud.counts["FunctionMap"] - started == 1 + CHUNKS
    here = await asyncio.to_thread(UPSCALE.answer, app.request("attempt-1"))
    assert there == here
    assert storage.objects["large.mp4"] == made
    assert there.result is not None
    assert there.result.frame_count == FRAMES
    assert await app.progress() == {"attempt-1": {"phase": "uploading", "frames_done": FRAMES, "frames_total": FRAMES}}


async def test_a_killed_chunk_is_made_again_alone(app: Deployed, storage: Storage) -> None:
    whole = await asyncio.to_thread(UPSCALE.answer, app.request("key"))
    gated, started = app.gate(), app.cloud.counts["FunctionMap"]
    call = await app.start("attempt-2")
    await eventually(lambda: gated.held == READERS, within_s=WAIT_S)
    victim, *others = app.chunk_containers()
    assert len(others) == CHUNKS - 1
    os.kill(victim.pid, signal.SIGKILL)
    await eventually(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE, within_s=WAIT_S)
    gated.open()
    assert await answer_of(call) == whole
    assert app.cloud.counts["FunctionMap"] - started == 1 + CHUNKS


async def test_cancelling_ends_the_chunks_and_leaves_no_object(
    app: Deployed, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "CANCEL_GRACE_S", WAIT_S)
    gated, cancelled = app.gate(), app.cloud.counts["FunctionCallCancel"]
    call = await app.start("attempt-3")
    await eventually(lambda: gated.held == READERS, within_s=WAIT_S)
    await call.cancel.aio()
    await eventually(lambda: app.cloud.counts["FunctionCallCancel"] - cancelled == 1 + CHUNKS, within_s=WAIT_S)
    gated.open()
    with pytest.raises(modal.exception.RemoteError, match="cancelled"):
        await call.get.aio(timeout=WAIT_S)
    assert list(storage.objects) == ["game.mp4"]

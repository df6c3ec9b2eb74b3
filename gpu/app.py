"""The media functions on Modal: thin, and the same code that a machine runs as `python -m gpu.render`.

Deployed by `modal deploy -m gpu.app`; requests and answers are the dicts of `gpu.contract`. Media comes and goes by
presigned URLs, so the functions hold no key of any storage; their secret only lists the hosts they may talk to.
docs/functions.md says why each has its resources.

Networks need weights whose hashes are verified (`gpu/weights.lock`) and their own lock of packages. As long as either
is missing a deploy says so and builds no image for them; `track` answers `unsupported`, `upscale` takes Lanczos.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import modal

from gpu.contract import (
    APP_NAME,
    DERIVE_FUNCTION,
    PROBE_FUNCTION,
    PROGRESS_DICT,
    RENDER_FUNCTION,
    TRACK_FUNCTION,
    RenderProgress,
)
from gpu.weights.lock import LOCK as WEIGHTS_LOCK
from gpu.weights.lock import WeightsError, chosen, measured, read_lock
from gpu.weights.store import VARIABLE as WEIGHTS_VARIABLE

if TYPE_CHECKING:
    from gpu.functions.function import Function, Response

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
"""Read when an image is built, on the machine that deploys; it is not in the container."""
LOCK, NETWORKS_LOCK = REQUIREMENTS / "gpu.lock", REQUIREMENTS / "networks.lock"
WEIGHTS = ("rf-detr-small", "realesr-general-x4v3")
WEIGHTS_FOLDER = "/weights"
CODE_FOLDER = "/root"
"""Where Modal puts Python sources in a container."""
GPUS = ["L4", "T4", "A10"]
PROGRESS_SECONDS = 0.5

log = logging.getLogger(__name__)


def why_no_networks(weights_lock: Path = WEIGHTS_LOCK, packages_lock: Path = NETWORKS_LOCK) -> str:
    """What an image with networks lacks, or nothing."""
    try:
        for weight in chosen(read_lock(weights_lock), WEIGHTS):
            measured(weight)
    except WeightsError as error:
        return str(error)
    return "" if packages_lock.exists() else f"{packages_lock.name} is missing; `make lock` writes it"


def _with_networks() -> bool:
    """Decided by the machine that deploys; a container has what it was given."""
    if not modal.is_local():
        return False
    if reason := why_no_networks():
        log.warning("the functions with networks are deployed without them: %s", reason)
    return not reason


def _packages(lock: Path) -> modal.Image:
    return modal.Image.debian_slim(python_version="3.11").pip_install_from_requirements(
        str(lock), extra_options="--require-hashes --only-binary=:all:"
    )


def _networks() -> modal.Image:
    """The weights are fetched when the image is built, which fails when one is not the locked file."""
    fetching, lock = Path(__file__).parent / "weights", WEIGHTS_LOCK
    return (
        _packages(NETWORKS_LOCK)
        .add_local_dir(fetching, f"{CODE_FOLDER}/gpu/weights", copy=True, ignore=["**/__pycache__"])
        .add_local_file(lock, f"{CODE_FOLDER}/gpu/weights.lock", copy=True)
        .run_commands(f"cd {CODE_FOLDER} && python -m gpu.weights fetch {WEIGHTS_FOLDER} {' '.join(WEIGHTS)}")
        .env({WEIGHTS_VARIABLE: WEIGHTS_FOLDER})
        .add_local_python_source("gpu", ignore=lambda path: path.suffix not in (".py", ".lock"))
    )


app = modal.App(APP_NAME)
image = _packages(LOCK).add_local_python_source("gpu")
with_networks = _with_networks()
networks_image = _networks() if with_networks else image
gpus = GPUS if with_networks else None
hosts = modal.Secret.from_name("reel-ballers-gpu", required_keys=["MEDIA_HOSTS"])
progress_by_key = modal.Dict.from_name(PROGRESS_DICT, create_if_missing=True)


@app.function(
    image=image,
    secrets=[hosts],
    cpu=1.0,
    memory=(512, 2048),  # a few decoded pictures of 8K at most; the limit ends a file made to eat memory
    timeout=120,  # reads some MB of the file; a storage that never answers has failed by then
    retries=modal.Retries(max_retries=2, backoff_coefficient=2.0, initial_delay=1.0),  # answers are not tried again
    max_containers=10,
    scaledown_window=30,
)
def probe(request: dict[str, Any]) -> dict[str, Any]:
    """ProbeRequest -> ProbeResponse."""
    return _answer(PROBE_FUNCTION, request)


@app.function(
    image=image,
    secrets=[hosts],
    cpu=(2.0, 4.0),  # up to four parts are encoded side by side; two cores are reserved, four used where they are free
    memory=(1024, 4096),  # all processes: 480 MiB for 1080p in two parts; 3 GB for 8K, in one
    timeout=3600,  # the longest clip, 20 minutes at 60 frames a second, on two cores
    retries=modal.Retries(max_retries=2, backoff_coefficient=2.0, initial_delay=1.0),
    max_containers=20,  # bounds what a flood of exports can cost
    scaledown_window=60,  # exports come in bursts: the next one skips the cold start
)
def render(request: dict[str, Any]) -> dict[str, Any]:
    """RenderRequest -> RenderResponse."""
    return _answer(RENDER_FUNCTION, request)


@app.function(
    image=image,
    secrets=[hosts],
    cpu=(2.0, 4.0),  # decoding has two threads, scaling and encoding one each
    memory=(1024, 4096),
    timeout=3 * 3600,  # the proxy of a game of six hours, the longest: 108 minutes on one core
    retries=modal.Retries(max_retries=2, backoff_coefficient=2.0, initial_delay=1.0),
    max_containers=10,
    scaledown_window=30,
)
def derive(request: dict[str, Any]) -> dict[str, Any]:
    """DeriveRequest -> DeriveResponse."""
    return _answer(DERIVE_FUNCTION, request)


@app.function(
    image=networks_image,
    secrets=[hosts],
    gpu=gpus,
    cpu=(2.0, 4.0),  # decodes and scales for the GPU
    memory=(2048, 8192),  # torch, the network and some pictures; not measured
    timeout=3600,
    retries=modal.Retries(max_retries=2, backoff_coefficient=2.0, initial_delay=1.0),
    max_containers=4,
    scaledown_window=30,
)
def track(request: dict[str, Any]) -> dict[str, Any]:
    """TrackRequest -> TrackResponse."""
    return _answer(TRACK_FUNCTION, request)


@app.function(
    image=networks_image,
    secrets=[hosts],
    gpu=gpus,
    cpu=(2.0, 4.0),
    memory=(2048, 8192),
    timeout=1800,  # 1200 frames, twenty seconds at 60 a second, at two in three seconds
    retries=modal.Retries(max_retries=2, backoff_coefficient=2.0, initial_delay=1.0),  # of one chunk alone
    max_containers=4,
    scaledown_window=10,  # the chunks of one request wait already; each of their containers idles
)
def upscale_chunk(request: dict[str, Any]) -> dict[str, Any]:
    """UpscaleChunkRequest -> UpscaleChunkResponse; only `upscale` calls it."""
    from gpu.functions.upscale_chunk import UPSCALE_CHUNK

    return _worked(UPSCALE_CHUNK, request).model_dump()


@app.function(
    image=image,
    secrets=[hosts],
    cpu=(1.0, 2.0),  # it mixes the sound, waits and joins; the GPUs are those of the chunks
    memory=(1024, 4096),  # one chunk's pictures, and the next one's twice while they arrive: 1.5 GiB
    timeout=2 * 3600,  # 82 minutes for four of the longest clips on four GPUs, at 60 frames a second and 15 made
    retries=modal.Retries(max_retries=1, backoff_coefficient=2.0, initial_delay=1.0),  # chunks have their own
    max_containers=4,
    scaledown_window=2,  # the next one waits for GPUs anyway
)
def upscale(request: dict[str, Any]) -> dict[str, Any]:
    """UpscaleRequest -> UpscaleResponse."""
    from gpu.functions.fan_out import FanOut
    from gpu.functions.upscale import upscale_by

    map_chunks = FanOut(upscale_chunk.spawn, _reached, lambda key: progress_by_key.pop(key, None))
    return dict(_worked(upscale_by(map_chunks), request).model_dump(mode="json"))


def _answer(name: str, request: dict[str, Any]) -> dict[str, Any]:
    from gpu.functions.table import FUNCTIONS

    return dict(_worked(FUNCTIONS[name], request).model_dump(mode="json"))


def _worked(function: "Function[Any, Response]", request: dict[str, Any]) -> "Response":
    """The latest RenderProgress is in the Dict under the request's progress_key.

    A TimeoutError gets another type: who waits for the call would take it for the sign that there is no answer yet.
    """
    from gpu.render.progress import Publisher

    try:
        with Publisher(_DictProgress(str(request.get("progress_key"))), PROGRESS_SECONDS) as publisher:
            return function.answer(request, publisher.report)
    except TimeoutError as error:
        raise RuntimeError(f"the work timed out: {error}") from error


def _reached(key: str) -> int:
    """Frames done under a progress key."""
    latest = progress_by_key.get(key)
    return RenderProgress.model_validate(latest).frames_done if latest else 0


class _DictProgress:
    """Puts progress into the Dict; work that starts again after a lost machine does not count backwards."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._before: int | None = None

    def __call__(self, progress: RenderProgress) -> None:
        if self._before is None:
            self._before = _reached(self._key)
        done = max(progress.frames_done, self._before)
        progress_by_key.put(self._key, progress.model_copy(update={"frames_done": done}).model_dump(mode="json"))

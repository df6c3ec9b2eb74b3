"""The media functions on Modal: thin, CPU only, and the same code that a machine runs as `python -m gpu.render`.

Deployed by `modal deploy -m gpu.app`; requests and answers are the dicts of `gpu.contract`. Media comes and goes by
presigned URLs, so the functions hold no key of any storage; their secret only lists the hosts they may talk to.
"""

from pathlib import Path
from typing import Any

import modal

from gpu.contract import (
    APP_NAME,
    PROGRESS_DICT,
    ProbeRequest,
    ProbeResponse,
    RenderProgress,
    RenderRequest,
    RenderResponse,
)

LOCK = Path(__file__).parents[1] / "requirements" / "gpu.lock"
"""Read when the image is built, on the machine that deploys; it is not in the container."""
PROGRESS_SECONDS = 0.5

app = modal.App(APP_NAME)
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install_from_requirements(str(LOCK), extra_options="--require-hashes --only-binary=:all:")
    .add_local_python_source("gpu")
)
hosts = modal.Secret.from_name("reel-ballers-gpu", required_keys=["MEDIA_HOSTS"])
progress_by_key = modal.Dict.from_name(PROGRESS_DICT, create_if_missing=True)


@app.function(
    image=image,
    secrets=[hosts],
    cpu=1.0,
    memory=(512, 2048),  # a few decoded pictures of 8K at most; the limit ends a file made to eat memory
    timeout=120,  # reads some MB of the file; a storage that never answers has failed by then
    retries=modal.Retries(max_retries=2, initial_delay=1.0),  # for lost machines: errors of the media are answers
    max_containers=10,
    scaledown_window=30,
)
def probe(request: dict[str, Any]) -> dict[str, Any]:
    """ProbeRequest -> ProbeResponse."""
    from gpu.render.errors import MediaFailure
    from gpu.render.job import parse, run_probe

    try:
        response = run_probe(parse(ProbeRequest, request))
    except MediaFailure as failure:
        response = ProbeResponse(error=failure.error)
    return response.model_dump(mode="json")


@app.function(
    image=image,
    secrets=[hosts],
    cpu=(2.0, 4.0),  # x264 has six threads; two cores are reserved, four used where the machine has them free
    memory=(1024, 4096),  # 1080p takes about 400 MB, 4K four times that
    timeout=3600,  # the longest clip, 20 minutes at 60 frames a second, on two cores
    retries=modal.Retries(
        max_retries=2, initial_delay=1.0
    ),  # a preempted render starts again and writes the same object
    max_containers=20,  # bounds what a flood of exports can cost
    scaledown_window=60,  # exports come in bursts: the next one skips the cold start
)
def render(request: dict[str, Any]) -> dict[str, Any]:
    """RenderRequest -> RenderResponse; the latest RenderProgress is in the Dict under the request's progress_key."""
    from gpu.render.errors import MediaFailure
    from gpu.render.job import parse, run_render
    from gpu.render.progress import Publisher

    try:
        job = parse(RenderRequest, request)
        with Publisher(_DictProgress(job.progress_key), PROGRESS_SECONDS) as publisher:
            response = run_render(job, publisher.report)
    except MediaFailure as failure:
        response = RenderResponse(error=failure.error)
    return response.model_dump(mode="json")


class _DictProgress:
    """Puts progress into the Dict; a render that starts again after a lost machine does not count backwards."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._reached: int | None = None

    def __call__(self, progress: RenderProgress) -> None:
        if self._reached is None:
            earlier = progress_by_key.get(self._key)
            self._reached = RenderProgress.model_validate(earlier).frames_done if earlier else 0
        done = max(progress.frames_done, self._reached)
        progress_by_key.put(self._key, progress.model_copy(update={"frames_done": done}).model_dump(mode="json"))

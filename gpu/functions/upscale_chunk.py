"""Makes the pictures of one chunk of an upscale larger: what a container with a GPU is for.

Only `upscale` asks for it, so it is no part of the contract with the backend. It reads the source itself, by HTTP
ranges, and answers with the encoded pictures: no object is written, and nothing is left when it is ended or repeated.
"""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gpu.contract import FrameRange, MediaError, ProgressKey, SourceUrl
from gpu.functions.function import Function
from gpu.functions.work import check_hosts, probe_url, rendering, temporary_folder
from gpu.plan import RenderPlan, SpecError, compile_plan
from gpu.plan.geometry import Size
from gpu.plan.spec import Answered, EditSpec, OutputSize, ProbeInfo, Value
from gpu.render.errors import MediaFailure
from gpu.render.produce import OnProgress, Reporter
from gpu.render.sources import HttpSources
from gpu.upscale.used import UpscalerUsed

if TYPE_CHECKING:
    from gpu.upscale.choose import Choice

MOST_PART_BYTES = 512 << 20
"""Of one chunk's pictures, which are in memory as a whole when they are handed over: 200 Mbit/s for twenty seconds."""

_kept: "list[Choice]" = []


class UpscaleChunkRequest(Value):
    """Make the pictures of `frames` as large as `size`, without their sound."""

    progress_key: ProgressKey
    source_url: SourceUrl
    frames: FrameRange
    size: OutputSize


class UpscaledChunk(Answered):
    """`upscaler` is what made this chunk."""

    part: Annotated[bytes, Field(description="MP4 of the pictures, to be joined with the others")]
    upscaler: UpscalerUsed


class UpscaleChunkResponse(Answered):
    """Exactly one of the two is set."""

    result: UpscaledChunk | None = None
    error: MediaError | None = None


MapChunks = Callable[
    [Sequence[UpscaleChunkRequest], Callable[[int], None]], Generator[tuple[int, UpscaleChunkResponse]]
]
"""Has the chunks made, wherever that is, and yields the number of each with its answer, in any order.

It calls back with the number of frames done over all chunks. Closing it before its end gives up what is not made yet.
"""


def planned(frames: FrameRange, info: ProbeInfo) -> RenderPlan:
    """The frames as they are. Raises MediaFailure `bad_spec` for a range that is not in the source."""
    try:
        return compile_plan(EditSpec.of_clip(frames.in_frame, frames.out_frame), info)
    except SpecError as error:
        raise MediaFailure("bad_spec", str(error)) from error


def one_by_one(
    requests: Sequence[UpscaleChunkRequest], on_frame: Callable[[int], None]
) -> Generator[tuple[int, UpscaleChunkResponse]]:
    """MapChunks in this process."""
    before = 0
    for number, request in enumerate(requests):
        yield number, UPSCALE_CHUNK.answer(request, _counting_from(before, on_frame))
        before += request.frames.out_frame - request.frames.in_frame


def _counting_from(before: int, on_frame: Callable[[int], None]) -> OnProgress:
    return lambda progress: on_frame(before + progress.frames_done)


def _upscale_chunk(request: UpscaleChunkRequest, on_progress: OnProgress) -> UpscaleChunkResponse:
    from gpu.upscale.enlarge import enlarge

    check_hosts([request.source_url], [])
    report = Reporter(on_progress)
    report("reading", 0)
    plan = planned(request.frames, probe_url(request.source_url))
    choice = _upscaler()
    report.frames_total = plan.frame_count
    size, rendered = Size(request.size.width, request.size.height), rendering(report)
    with temporary_folder() as folder:
        path = folder / "pictures.mp4"

        def on_frame(done: int) -> None:
            _check_bytes(path)
            rendered(done)

        enlarge(plan, size, choice.upscaler, HttpSources([request.source_url]), path, on_frame)
        _check_bytes(path)
        return UpscaleChunkResponse(result=UpscaledChunk(part=path.read_bytes(), upscaler=choice.used))


def _check_bytes(path: Path) -> None:
    """The file is there once the encoder has given its first picture."""
    if path.exists() and path.stat().st_size > MOST_PART_BYTES:
        reason = f"some seconds of its pictures take more than {MOST_PART_BYTES >> 20} MiB at this size"
        raise MediaFailure("bad_spec", f"{reason}; choose a smaller one")


def _upscaler() -> "Choice":
    """A network is loaded once a process; Lanczos is chosen anew each time: a GPU that was full may be free again."""
    from gpu.upscale.choose import choose_upscaler

    if not _kept:
        choice = choose_upscaler()
        if not choice.upscaler.ai:
            return choice
        _kept.append(choice)
    return _kept[0]


UPSCALE_CHUNK = Function(UpscaleChunkRequest, UpscaleChunkResponse, _upscale_chunk)

"""Makes the pictures of a range of frames larger: has its chunks made, joins them, lays the sound beside them.

The chunks are made one after the other in this process, or at the same time elsewhere (`upscale_by`): the same bytes.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from gpu.contract import VIDEO_TYPE, FrameRange, UpscaleRequest, UpscaleResponse, UpscaleResult
from gpu.functions.function import Function
from gpu.functions.upscale_chunk import MapChunks, UpscaleChunkRequest, UpscaleChunkResponse, one_by_one, planned
from gpu.functions.work import check_hosts, probe_url, rendering, temporary_folder
from gpu.plan import RenderPlan
from gpu.plan.geometry import Size
from gpu.plan.spec import ProbeInfo
from gpu.render import gates
from gpu.render.errors import MediaFailure
from gpu.render.measured import measured_video
from gpu.render.output import upload
from gpu.render.produce import OnProgress, Reporter
from gpu.render.sources import HttpSources
from gpu.upscale.used import UpscalerUsed

SHAPE_TOLERANCE = 2
"""Pixels on the longer side by which an upscaled picture may miss its source's shape: sizes are made even."""


def upscale_by(map_chunks: MapChunks) -> Function[UpscaleRequest, UpscaleResponse]:
    """The function `upscale` whose chunks `map_chunks` has made."""
    return Function(UpscaleRequest, UpscaleResponse, partial(_upscale, map_chunks))


def _upscale(map_chunks: MapChunks, request: UpscaleRequest, on_progress: OnProgress) -> UpscaleResponse:
    check_hosts([request.source_url], [request.output_url])
    report = Reporter(on_progress)
    report("reading", 0)
    info = probe_url(request.source_url)
    frames = request.frames or FrameRange(in_frame=0, out_frame=info.frame_count)
    size, plan = Size(request.size.width, request.size.height), planned(frames, info)
    _check_size(size, plan, info)
    report.frames_total = plan.frame_count
    with temporary_folder() as folder:
        path, requests = folder / "result.mp4", _chunks(request, frames.in_frame, plan)
        with closing(map_chunks(requests, rendering(report))) as answers:
            used = _joined(plan, request.source_url, requests, answers, path)
        measured = gates.measure(path)
        gates.check(measured, replace(plan, size=size))
        report("uploading", plan.frame_count)
        upload(path, request.output_url, VIDEO_TYPE)
        video = measured_video(measured, path)
        return UpscaleResponse(result=UpscaleResult(**video.model_dump(), upscaler=used))


def _chunks(request: UpscaleRequest, first: int, plan: RenderPlan) -> list[UpscaleChunkRequest]:
    from gpu.render.writer import KEYFRAME_SECONDS
    from gpu.upscale.chunks import cut

    return [
        UpscaleChunkRequest(
            progress_key=f"{request.progress_key}/{number}",
            source_url=request.source_url,
            frames=FrameRange(in_frame=first + chunk.in_frame, out_frame=first + chunk.out_frame),
            size=request.size,
        )
        for number, chunk in enumerate(cut(plan.frame_count, plan.rate, KEYFRAME_SECONDS))
    ]


def _joined(
    plan: RenderPlan,
    source_url: str,
    requests: list[UpscaleChunkRequest],
    answers: Generator[tuple[int, UpscaleChunkResponse]],
    path: Path,
) -> UpscalerUsed:
    """Writes `path`; the sound is made while the chunks are."""
    from gpu.render.finish import finishing
    from gpu.render.join import Part

    firsts = [one.frames.in_frame - requests[0].frames.in_frame for one in requests]
    parts = [Part(path.with_name(f"{number}.part"), first) for number, first in enumerate(firsts)]
    used: dict[int, UpscalerUsed] = {}
    with finishing(plan, HttpSources([source_url]), path) as finish:
        for number, answer in answers:
            if answer.error is not None:
                raise MediaFailure(answer.error.code, answer.error.message)
            if answer.result is None:
                raise ValueError(f"chunk {number} was answered with neither a result nor an error")
            parts[number].path.write_bytes(answer.result.part)
            used[number] = answer.result.upscaler
            _one([*used.values()])
        finish(parts)
    return _one([used[number] for number in sorted(used)])


def _one(used: list[UpscalerUsed]) -> UpscalerUsed:
    """What made all chunks, with every reason; raises RuntimeError when it was not the same for all."""
    if len(kinds := {(one.name, one.ai) for one in used}) > 1:
        raise RuntimeError(f"the chunks were made by different upscalers: {sorted(kinds)}")
    return used[0].model_copy(update={"reason": " ".join(dict.fromkeys(one.reason for one in used))})


def _check_size(size: Size, plan: RenderPlan, info: ProbeInfo) -> None:
    if size.width < plan.size.width or size.height < plan.size.height:
        smaller = f"{plan.size.width} x {plan.size.height} is not upscaled to {size.width} x {size.height}"
        raise MediaFailure("bad_spec", f"{smaller}: that is smaller")
    if not any(_keeps_shape(size, of) for of in (plan.size, Size(info.width, info.height))):
        other = f"{info.width} x {info.height} is not upscaled to {size.width} x {size.height}"
        raise MediaFailure("bad_spec", f"{other}: that is another shape; choose the same ratio of width to height")


def _keeps_shape(size: Size, of: Size) -> bool:
    return abs(size.width * of.height - size.height * of.width) <= SHAPE_TOLERANCE * max(of)


UPSCALE = upscale_by(one_by_one)

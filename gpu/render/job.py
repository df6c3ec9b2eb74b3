"""Answers one request: the same request writes the same objects, and only whole and checked files are published.

A MediaFailure becomes a response; any other exception is a fault of ours or of the machine and goes to the caller. What
only some functions need is imported by them: a render starts without the code of networks.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from pydantic import ValidationError

from gpu.contract import (
    DERIVE_FUNCTION,
    JSON_TYPE,
    PEAKS_TYPE,
    PROBE_FUNCTION,
    RENDER_FUNCTION,
    SHEET_TYPE,
    TRACK_FUNCTION,
    UPSCALE_FUNCTION,
    VIDEO_TYPE,
    DeriveRequest,
    DeriveResponse,
    FrameRange,
    PeaksWork,
    ProbeRequest,
    ProbeResponse,
    ProxyWork,
    RenderRequest,
    RenderResponse,
    StoryboardWork,
    TrackFacts,
    TrackRequest,
    TrackResponse,
    UpscaleRequest,
    UpscaleResponse,
    UpscaleResult,
    storyboard_sheets,
)
from gpu.plan import SpecError, compile_plan
from gpu.plan.geometry import Size
from gpu.plan.spec import EditSpec, ProbeInfo, Value
from gpu.plan.validation import Mistake, message_of
from gpu.render import gates
from gpu.render.errors import MediaFailure
from gpu.render.hosts import check_host
from gpu.render.output import file_sha256, upload
from gpu.render.produce import OnProgress, Reporter, probe_file, produce
from gpu.render.source import HttpSource
from gpu.render.sources import HttpSources

if TYPE_CHECKING:
    from gpu.track.detector import Detector
    from gpu.track.tracker import NewTracker

Request = TypeVar("Request", bound=Value)
Answer = TypeVar("Answer", bound=Value)

DETECTOR_SIZE: Literal["small"] = "small"
"""Of RF-DETR's sizes; its weights are in the image."""
SHAPE_TOLERANCE = 2
"""Pixels on the longer side by which an upscaled picture may miss its source's shape: sizes are made even."""


@dataclass(frozen=True)
class Function(Generic[Request, Answer]):
    """One media function: what it takes, what it answers, and the work, which raises MediaFailure."""

    request: type[Request]
    response: type[Answer]
    work: Callable[[Request, OnProgress], Answer]

    def answer(
        self,
        given: object,
        on_progress: OnProgress = lambda progress: None,
        within: AbstractContextManager[None] | None = None,
    ) -> Answer:
        """`given` is a request, its dict or its JSON; the work is done inside the context `within`.

        An exception or a signal leaves neither an object nor a temporary file, nor does a response with an error.
        """
        try:
            request = parse(self.request, given)
            with within or nullcontext():
                return self.work(request, on_progress)
        except MediaFailure as failure:
            return self.response.model_validate({"error": failure.error})


def parse(kind: type[Request], request: object) -> Request:
    """Takes a dict, or a string or bytes of JSON.

    Raises MediaFailure `bad_spec` that names the first wrong fields, without the values: URLs among them are secrets.
    """
    try:
        return kind.model_validate_json(request) if isinstance(request, str | bytes) else kind.model_validate(request)
    except ValidationError as error:
        raise MediaFailure("bad_spec", message_of(_mistakes(error))) from None


def _mistakes(error: ValidationError) -> list[Mistake]:
    """A list that lost its wrong members may seem too short as well; that is not told."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    around = {one["loc"][:length] for one in faults for length in range(len(one["loc"]))}
    return [
        Mistake(".".join(map(str, one["loc"])) or "request", one["msg"].removeprefix("Value error, "))
        for one in faults
        if one["type"] != "too_short" or one["loc"] not in around
    ]


def _probe(request: ProbeRequest, _: OnProgress) -> ProbeResponse:
    """Reads the source by HTTP ranges: its index, its start, and where there is no index its end."""
    _check_hosts([request.source_url], [])
    return ProbeResponse(info=_probed(request.source_url))


def _render(request: RenderRequest, on_progress: OnProgress) -> RenderResponse:
    _check_hosts(request.source_urls, [request.output_url])
    if (needed := max(clip.source for clip in request.spec.clips) + 1) > len(request.source_urls):
        raise MediaFailure("bad_spec", f"the clips need {needed} sources, {len(request.source_urls)} are given")
    with _folder() as folder:
        path = folder / "result.mp4"
        result = produce(HttpSources(request.source_urls), request.kind, request.spec, path, on_progress)
        Reporter(on_progress, result.frame_count)("uploading", result.frame_count)
        upload(path, request.output_url, VIDEO_TYPE)
        return RenderResponse(result=result)


def _derive(request: DeriveRequest, on_progress: OnProgress) -> DeriveResponse:
    work = request.work
    outputs = [*work.sheet_urls, work.index_url] if isinstance(work, StoryboardWork) else [work.output_url]
    _check_hosts([request.source_url], outputs)
    report = Reporter(on_progress)
    report("reading", 0)
    with _folder() as folder, HttpSource(request.source_url) as source:
        info = probe_file(source, source.abort)
        source.seek(0)
        report.frames_total = _span(work.frames, info) if isinstance(work, ProxyWork) else info.frame_count
        if isinstance(work, ProxyWork):
            return _derive_proxy(work, source, folder / "proxy.mp4", report)
        if isinstance(work, PeaksWork):
            return _derive_peaks(work, source, folder / "peaks.dat", report)
        if (needed := storyboard_sheets(info)) > len(work.sheet_urls):
            reason = f"the storyboard takes {needed} sheets, {len(work.sheet_urls)} addresses are given"
            raise MediaFailure("bad_spec", reason)
        return _derive_storyboard(work, source, folder / "storyboard", report)


def _derive_proxy(work: ProxyWork, source: HttpSource, path: Path, report: Reporter) -> DeriveResponse:
    from gpu.derive.proxy import write_proxy

    frames = range(work.frames.in_frame, work.frames.out_frame) if work.frames else None
    facts = write_proxy(source, path, frames, _rendering(report), source.abort)
    report("uploading", report.frames_total)
    upload(path, work.output_url, VIDEO_TYPE)
    return DeriveResponse(result=facts)


def _derive_peaks(work: PeaksWork, source: HttpSource, path: Path, report: Reporter) -> DeriveResponse:
    from gpu.derive.peaks import write_peaks

    facts = write_peaks(source, path, _rendering(report), source.abort)
    report("uploading", report.frames_total)
    upload(path, work.output_url, PEAKS_TYPE)
    return DeriveResponse(result=facts)


def _derive_storyboard(work: StoryboardWork, source: HttpSource, folder: Path, report: Reporter) -> DeriveResponse:
    """The index comes last: who finds it finds the sheets that it names."""
    from gpu.derive.storyboard import INDEX_NAME, write_storyboard

    storyboard = write_storyboard(source, folder, _rendering(report), source.abort)
    report("uploading", report.frames_total)
    for name, url in zip(storyboard.sheets, work.sheet_urls, strict=False):
        upload(folder / name, url, SHEET_TYPE)
    upload(folder / INDEX_NAME, work.index_url, JSON_TYPE)
    return DeriveResponse(result=storyboard)


def _track(request: TrackRequest, on_progress: OnProgress) -> TrackResponse:
    from gpu.track.follow import Search, follow

    _check_hosts([request.source_url], [request.output_url])
    search = Search(request.frames.in_frame, request.frames.out_frame, request.stride)
    report = Reporter(on_progress, len(search.frames))
    report("reading", 0)
    detector, new_tracker = load_tracking()
    with _folder() as folder, HttpSource(request.source_url) as source:
        result = follow(source, search, detector, new_tracker, _rendering(report), source.abort)
        path = folder / "tracks.json"
        path.write_text(result.model_dump_json(), encoding="utf-8")
        report("uploading", report.frames_total)
        upload(path, request.output_url, JSON_TYPE)
        facts = TrackFacts(
            track_count=len(result.tracks),
            box_count=sum(len(track.boxes) for track in result.tracks),
            detector=result.detector,
            tracker=result.tracker,
            size_bytes=path.stat().st_size,
            sha256=file_sha256(path),
        )
    return TrackResponse(result=facts)


def _upscale(request: UpscaleRequest, on_progress: OnProgress) -> UpscaleResponse:
    from gpu.upscale.choose import choose_upscaler
    from gpu.upscale.enlarge import enlarge

    _check_hosts([request.source_url], [request.output_url])
    report = Reporter(on_progress)
    report("reading", 0)
    info = _probed(request.source_url)
    frames = request.frames or FrameRange(in_frame=0, out_frame=info.frame_count)
    try:
        plan = compile_plan(EditSpec.of_clip(frames.in_frame, frames.out_frame), info)
    except SpecError as error:
        raise MediaFailure("bad_spec", str(error)) from error
    size = Size(request.size.width, request.size.height)
    if size.width < plan.size.width or size.height < plan.size.height:
        smaller = f"{plan.size.width} x {plan.size.height} is not upscaled to {size.width} x {size.height}"
        raise MediaFailure("bad_spec", f"{smaller}: that is smaller")
    if not any(_keeps_shape(size, of) for of in (plan.size, Size(info.width, info.height))):
        other = f"{info.width} x {info.height} is not upscaled to {size.width} x {size.height}"
        raise MediaFailure("bad_spec", f"{other}: that is another shape; choose the same ratio of width to height")
    choice = choose_upscaler()
    report.frames_total = plan.frame_count
    with _folder() as folder:
        path, sources = folder / "result.mp4", HttpSources([request.source_url])
        enlarged = replace(plan, size=size)
        enlarge(plan, size, choice.upscaler, sources, path, _rendering(report))
        measured = gates.measure(path)
        gates.check(measured, enlarged)
        report("uploading", plan.frame_count)
        upload(path, request.output_url, VIDEO_TYPE)
        result = UpscaleResult(
            width=measured.width,
            height=measured.height,
            fps_num=measured.rate.numerator,
            fps_den=measured.rate.denominator,
            frame_count=measured.frame_count,
            duration_ms=measured.duration_ms,
            audio_duration_ms=measured.audio_duration_ms,
            size_bytes=path.stat().st_size,
            sha256=file_sha256(path),
            upscaler=choice.used,
        )
    return UpscaleResponse(result=result)


def load_tracking() -> "tuple[Detector, NewTracker]":
    """The detector of players and their tracker; raises MediaFailure `unsupported` where a library is missing."""
    from gpu.track.bytetrack import ByteTracker
    from gpu.track.rfdetr import load_rfdetr

    for name in ("torch", "rfdetr", "trackers"):
        if find_spec(name) is None:
            raise MediaFailure("unsupported", f"players are not followed here: {name} is not part of this installation")
    return load_rfdetr(DETECTOR_SIZE), ByteTracker


def _keeps_shape(size: Size, of: Size) -> bool:
    return abs(size.width * of.height - size.height * of.width) <= SHAPE_TOLERANCE * max(of)


def _check_hosts(sources: Sequence[str], outputs: Sequence[str]) -> None:
    for url in sources:
        check_host(url, "source_unreachable")
    for url in outputs:
        check_host(url, "output_refused")


def _probed(url: str) -> ProbeInfo:
    with HttpSource(url) as source:
        return probe_file(source, source.abort)


def _span(frames: FrameRange | None, info: ProbeInfo) -> int:
    return info.frame_count if frames is None else max(0, frames.out_frame - frames.in_frame)


def _rendering(report: Reporter) -> Callable[[int], None]:
    return lambda done: report("rendering", done)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        yield Path(folder)


PROBE = Function(ProbeRequest, ProbeResponse, _probe)
RENDER = Function(RenderRequest, RenderResponse, _render)
DERIVE = Function(DeriveRequest, DeriveResponse, _derive)
TRACK = Function(TrackRequest, TrackResponse, _track)
UPSCALE = Function(UpscaleRequest, UpscaleResponse, _upscale)
FUNCTIONS: dict[str, Function[Any, Any]] = {
    PROBE_FUNCTION: PROBE,
    RENDER_FUNCTION: RENDER,
    DERIVE_FUNCTION: DERIVE,
    TRACK_FUNCTION: TRACK,
    UPSCALE_FUNCTION: UPSCALE,
}

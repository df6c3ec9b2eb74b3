"""One render from an open source to a finished, checked file; where both come from and go to is the caller's matter."""

from collections.abc import Callable, Generator
from pathlib import Path

from gpu.contract import Phase, RenderKind, RenderProgress, RenderResult
from gpu.plan import RenderPlan, SpecError, compile_plan
from gpu.plan.spec import EditSpec, ProbeInfo
from gpu.render import engine, gates
from gpu.render.errors import MediaFailure
from gpu.render.media import Media, open_media
from gpu.render.metered import MeteredFile, SeekableFile
from gpu.render.output import file_sha256
from gpu.render.overlap import overlapped
from gpu.render.probe import probe_media

MOST_PROBED_BYTES = 1 << 30
"""The index of six hours and, where there is none, two minutes at the end of a 4K recording are below it."""

OnProgress = Callable[[RenderProgress], None]


def probe_file(file: SeekableFile, stop_reading: Callable[[], None] = lambda: None) -> ProbeInfo:
    """Raises MediaFailure. Reads in a thread of its own, as `engine.render` does and for the same reason."""

    def probed() -> Generator[ProbeInfo]:
        with open_media(MeteredFile(file, MOST_PROBED_BYTES)) as media:
            yield probe_media(media)

    with overlapped(probed(), 1, stop_reading) as infos:
        return next(infos)


def produce(
    file: SeekableFile,
    kind: RenderKind,
    spec: EditSpec,
    path: Path,
    on_progress: OnProgress,
    stop_reading: Callable[[], None] = lambda: None,
) -> RenderResult:
    """Renders to `path` and measures the file; raises MediaFailure, and then whatever is at `path` is of no use."""
    report = Reporter(on_progress, spec.out_frame - spec.in_frame)
    report("reading", 0)
    plan = engine.render(
        file, lambda media: _plan(kind, spec, media), path, lambda done: report("rendering", done), stop_reading
    )
    measured = gates.measure(path)
    gates.check(measured, plan)
    return _result(path, measured, plan)


class Reporter:
    """Reports a phase and a count of frames out of a fixed total."""

    def __init__(self, on_progress: OnProgress, frames_total: int) -> None:
        self._on_progress, self._total = on_progress, frames_total

    def __call__(self, phase: Phase, frames_done: int) -> None:
        self._on_progress(RenderProgress(phase=phase, frames_done=frames_done, frames_total=self._total))


def _plan(kind: RenderKind, spec: EditSpec, media: Media) -> RenderPlan:
    if kind == "extract" and spec.crop_keyframes:
        raise MediaFailure(
            "bad_spec", "an extraction keeps the whole picture; remove crop_keyframes or ask for framing"
        )
    try:
        return compile_plan(spec, probe_media(media))
    except SpecError as error:
        raise MediaFailure("bad_spec", str(error)) from error


def _result(path: Path, measured: gates.Measured, plan: RenderPlan) -> RenderResult:
    return RenderResult(
        width=measured.width,
        height=measured.height,
        fps_num=measured.rate.numerator,
        fps_den=measured.rate.denominator,
        frame_count=measured.frame_count,
        duration_ms=measured.duration_ms,
        audio_duration_ms=measured.audio_duration_ms,
        size_bytes=path.stat().st_size,
        sha256=file_sha256(path),
        engine=engine.ENGINE,
        plan_sha256=plan.sha256(),
    )

"""One render from its sources to a finished, checked file; where both come from and go to is the caller's matter."""

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

from gpu.contract import Phase, RenderKind, RenderProgress, RenderResult
from gpu.plan import RenderPlan, SpecError, compile_plan
from gpu.plan.spec import EditSpec, ProbeInfo
from gpu.render import gates
from gpu.render.crew import Crew
from gpu.render.engines import dispatch
from gpu.render.engines.choose import Wanted
from gpu.render.engines.dispatch import Made
from gpu.render.errors import MediaFailure
from gpu.render.measured import measured_video
from gpu.render.media import open_media
from gpu.render.metered import MeteredFile, SeekableFile
from gpu.render.overlap import overlapped
from gpu.render.parts import may_have_parts
from gpu.render.probe import probe_media
from gpu.render.smart.cut import ENGINE as SMART_ENGINE
from gpu.render.smart.cut import smart_cut
from gpu.render.smart.reason import NotCopyable
from gpu.render.sources import Sources

MOST_PROBED_BYTES = 1 << 30
"""The index of six hours and, where there is none, two minutes at the end of a 4K recording are below it."""

OnProgress = Callable[[RenderProgress], None]


def probe_file(file: SeekableFile, stop_reading: Callable[[], None] = lambda: None) -> ProbeInfo:
    """Raises MediaFailure. Reads in a thread of its own, as `encode.encode_part` does and for the same reason."""

    def probed() -> Generator[ProbeInfo]:
        with open_media(MeteredFile(file, MOST_PROBED_BYTES)) as media:
            yield probe_media(media)

    with overlapped(probed(), 1, stop_reading) as infos:
        (info,) = infos
        return info


def produce(
    sources: Sources,
    kind: RenderKind,
    spec: EditSpec,
    path: Path,
    on_progress: OnProgress,
    wanted: Wanted = "auto",
) -> RenderResult:
    """Renders to `path` with the `wanted` engine if it can, and measures the file.

    Raises MediaFailure, and then whatever is at `path` is of no use.
    """
    report = Reporter(on_progress)
    report("reading", 0)
    plan, used = (
        _extracted(sources, spec, path, report, wanted)
        if kind == "extract"
        else _rendered(sources, spec, path, report, wanted)
    )
    measured = gates.measure(path)
    gates.check(measured, plan)
    return _result(path, measured, plan, used)


class Reporter:
    """Reports a phase and a count of frames out of `frames_total`, which is 0 until it is known."""

    def __init__(self, on_progress: OnProgress, frames_total: int = 0) -> None:
        self._on_progress, self.frames_total = on_progress, frames_total

    def __call__(self, phase: Phase, frames_done: int) -> None:
        self._on_progress(RenderProgress(phase=phase, frames_done=frames_done, frames_total=self.frames_total))


def _rendered(
    sources: Sources, spec: EditSpec, path: Path, report: Reporter, wanted: Wanted
) -> tuple[RenderPlan, Made]:
    with Crew() as crew:
        if may_have_parts(sum(clip.frame_count for clip in spec.clips)):
            crew.call()
        probes: list[ProbeInfo] = []
        for index in range(max(clip.source for clip in spec.clips) + 1):
            with closing(sources.open(index)) as file:
                probes.append(probe_file(file, file.abort))
        plan = _compiled(spec, probes)
        report.frames_total = plan.frame_count
        return plan, dispatch.render(
            plan, sources, path, lambda done: report("rendering", done), wanted=wanted, crew=crew
        )


def _extracted(
    sources: Sources, spec: EditSpec, path: Path, report: Reporter, wanted: Wanted
) -> tuple[RenderPlan, Made]:
    """Copies what can be copied. The file stays open after it is probed: its index may be many MB."""
    (clip, *_) = spec.clips
    if spec != EditSpec.of_clip(clip.in_frame, clip.out_frame, audio=clip.audio):
        raise MediaFailure("bad_spec", "an extraction is one range of one video as it is; ask for framing instead")
    with closing(sources.open(clip.source)) as file:
        plan = _compiled(spec, [probe_file(file, file.abort)])
        report.frames_total = plan.frame_count
        file.seek(0)
        try:
            smart_cut(
                file,
                clip.in_frame,
                clip.out_frame,
                path,
                lambda done: report("rendering", done),
                file.abort,
                with_sound=plan.sample_count is not None,
            )
            return plan, Made(SMART_ENGINE, "Copied what lies between keyframes.")
        except NotCopyable as failure:
            reason = failure.reason.sentence
    made = dispatch.render(plan, sources, path, lambda done: report("rendering", done), wanted=wanted)
    return plan, made._replace(reason=f"Nothing could be copied: {reason}. {made.reason}")


def _compiled(spec: EditSpec, probes: list[ProbeInfo]) -> RenderPlan:
    try:
        return compile_plan(spec, *probes)
    except SpecError as error:
        raise MediaFailure("bad_spec", str(error)) from error


def _result(path: Path, measured: gates.Measured, plan: RenderPlan, used: Made) -> RenderResult:
    return RenderResult(
        **measured_video(measured, path).model_dump(),
        engine=used.engine,
        engine_reason=used.reason,
        plan_sha256=plan.sha256(),
    )

"""EditSpec + ProbeInfo -> RenderPlan: a pure function, so preview, local and cloud renders agree by construction."""

from gpu.plan.duration import duration, sample_at
from gpu.plan.geometry import Rect, Size, largest_crop
from gpu.plan.interpolation import crop_track
from gpu.plan.render_plan import RenderPlan, SoundRange
from gpu.plan.spec import EditSpec, ProbeInfo
from gpu.plan.validation import check_spec, output_size


def compile_plan(spec: EditSpec, probe: ProbeInfo) -> RenderPlan:
    """Raises SpecError with every mistake when the edit does not fit the source."""
    check_spec(spec, probe)
    length = duration(spec, probe)
    has_sound = spec.audio and probe.audio_codec is not None
    return RenderPlan(
        source=Size(probe.width, probe.height),
        size=output_size(spec, probe),
        fps_num=probe.fps_num,
        fps_den=probe.fps_den,
        source_frames=range(spec.in_frame, spec.out_frame),
        crops=_crops(spec, probe, length.frame_count),
        sound=SoundRange(sample_at(spec.in_frame, probe), length.sample_count) if has_sound else None,
    )


def _crops(spec: EditSpec, probe: ProbeInfo, frame_count: int) -> list[Rect]:
    source, size = Size(probe.width, probe.height), output_size(spec, probe)
    if spec.crop_keyframes:
        return crop_track(spec.crop_keyframes, frame_count, size.ratio, source)
    if spec.size is None:
        return [Rect(0.0, 0.0, float(size.width), float(size.height))] * frame_count
    return [largest_crop(source, size.ratio)] * frame_count

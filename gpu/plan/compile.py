"""EditSpec + ProbeInfo -> RenderPlan: a pure function, so preview, local and cloud renders agree by construction."""

from collections.abc import Sequence
from fractions import Fraction

from gpu.plan.crop import crop_track
from gpu.plan.duration import sample_at
from gpu.plan.geometry import Rect, Size, largest_crop
from gpu.plan.highlight import ellipse_track
from gpu.plan.render_plan import ClipPlan, ClipSound, RenderPlan, SoundPiece, SoundRange, SourceGrid
from gpu.plan.spec import ClipEdit, EditSpec, ProbeInfo
from gpu.plan.timeline import Placement, Span, output_rate, source_rate, timeline
from gpu.plan.transition import Ramp, opacities, ramps
from gpu.plan.validation import check_spec, output_size


def compile_plan(spec: EditSpec, *probes: ProbeInfo) -> RenderPlan:
    """`probes[i]` are the facts of source i. Raises SpecError with every mistake when the edit does not fit them."""
    check_spec(spec, probes)
    rate, size = output_rate(spec, probes), output_size(spec, probes)
    clips = tuple(
        _clip(clip, probes[clip.source], placement, size, rate, ramp)
        for clip, placement, ramp in zip(
            spec.clips, timeline(spec, probes), ramps(spec.transition, len(spec.clips)), strict=True
        )
    )
    frames = clips[-1].end
    return RenderPlan(
        sources=tuple(SourceGrid(Size(probe.width, probe.height), probe.fps_num, probe.fps_den) for probe in probes),
        size=size,
        fps_num=rate.numerator,
        fps_den=rate.denominator,
        clips=clips,
        ellipses=ellipse_track(spec.regions, frames),
        style=spec.style,
        sample_count=sample_at(frames, rate) if any(clip.sound for clip in clips) else None,
    )


def _clip(clip: ClipEdit, probe: ProbeInfo, placement: Placement, size: Size, rate: Fraction, ramp: Ramp) -> ClipPlan:
    shown = [(span, index) for span in placement.spans for index in range(span.count)]
    return ClipPlan(
        source=clip.source,
        first=placement.first,
        source_frames=[clip.in_frame + span.source_offset(index) for span, index in shown],
        crops=_crops(clip, probe, size, [span.clip_time(index) for span, index in shown]),
        opacities=opacities(placement.count, ramp),
        caption=clip.caption,
        sound=_sound(clip, probe, placement, rate, ramp) if clip.audio and probe.audio_codec else None,
    )


def _crops(clip: ClipEdit, probe: ProbeInfo, size: Size, times: Sequence[float]) -> list[Rect]:
    source = Size(probe.width, probe.height)
    if clip.crop_keyframes:
        rate = float(source_rate(probe))
        return crop_track(clip.crop_keyframes, times, size.ratio, source, clip.crop_smoothing, rate)
    whole = Rect(0.0, 0.0, float(size.width), float(size.height))
    fits = source.width - size.width in (0, 1) and source.height - size.height in (0, 1)
    return [whole if fits else largest_crop(source, size.ratio)] * len(times)


def _sound(clip: ClipEdit, probe: ProbeInfo, placement: Placement, rate: Fraction, ramp: Ramp) -> ClipSound:
    first = sample_at(placement.first, rate)

    def output_samples(start: int, end: int) -> int:
        return sample_at(placement.first + end, rate) - sample_at(placement.first + start, rate)

    def piece(span: Span) -> SoundPiece:
        start, end = (
            sample_at(clip.in_frame + frame, source_rate(probe))
            for frame in (span.clip_frame, span.clip_frame + span.clip_count)
        )
        count = output_samples(span.first, span.first + span.count)
        # At its own speed sound is copied: rounding to frames and samples must not stretch it by a hair.
        return SoundPiece(SoundRange(start, count if span.percent == 100 else end - start), count)

    return ClipSound(
        first_sample=first,
        pieces=tuple(piece(span) for span in placement.spans),
        fade_in=output_samples(0, ramp.fade_in),
        fade_out=output_samples(placement.count - ramp.fade_out, placement.count),
    )

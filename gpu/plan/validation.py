"""Says everything that is wrong with an edit of certain sources, not just the first thing."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from gpu.plan.geometry import Size, even
from gpu.plan.spec import ClipEdit, CropKeyframe, EditSpec, HighlightRegion, ProbeInfo
from gpu.plan.timeline import Placement, output_rate, timeline
from gpu.plan.transition import Ramp, ramps

RATIO_TOLERANCE = 0.01
EDGE_TOLERANCE = 0.5
"""Pixels by which a rectangle may stick out; it is moved inside."""
SMALLEST_CROP = 16
SMALLEST_RESULT = 2
"""Pixels on each side of a picture that keeps its source's size."""
SMALLEST_RADIUS, LARGEST_RADIUS = 2, 4096
FARTHEST_CENTRE = 100_000
"""Pixels of an ellipse's centre from the origin, in each direction."""
LONGEST_SECONDS = 1200
LOWEST_RATE, HIGHEST_RATE = 1, 120
"""Frames a second of the output."""
MOST_TOLD = 10
LONGEST_TOLD = 300
"""Characters of one mistake in a message: its field's name and its numbers may be of any length."""


class Mistake(NamedTuple):
    """`field` is the path into the EditSpec, such as `clips.0.crop_keyframes.2.width`."""

    field: str
    message: str


class SpecError(ValueError):
    """The edit does not fit its sources; `mistakes` has all of them, at least one, its text the first."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(message_of(mistakes))
        self.mistakes = mistakes


def message_of(mistakes: Sequence[Mistake]) -> str:
    """The first mistakes and how many more there are; at most some 3000 characters."""
    told = [_shortened(f"{field}: {message}") for field, message in mistakes[:MOST_TOLD]]
    left = len(mistakes) - len(told)
    return "; ".join([*told, f"and {left} more"] if left else told)


def check_spec(spec: EditSpec, probes: Sequence[ProbeInfo]) -> None:
    """Raises SpecError with all mistakes that can be told; lengths are looked at only when all ranges are right."""
    found = tuple(_source_mistakes(spec, probes))
    found = found or tuple(_size_mistakes(spec, probes))
    found = found or (*_clips_mistakes(spec, probes), *_rate_mistakes(spec))
    if found := found or tuple(_length_mistakes(spec, probes)):
        raise SpecError(found)


def output_size(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Size:
    """Size of the rendered picture: the one asked for, or that of the first clip's source, made even."""
    if spec.size is not None:
        return Size(spec.size.width, spec.size.height)
    first = probes[spec.clips[0].source]
    return even(Size(first.width, first.height))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TOLD else f"{text[: LONGEST_TOLD - 1]}…"


def _source_mistakes(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Iterator[Mistake]:
    for index, clip in enumerate(spec.clips):
        if clip.source >= len(probes):
            yield Mistake(f"clips.{index}.source", f"there is no source {clip.source}; there are {len(probes)}")


def _size_mistakes(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Iterator[Mistake]:
    size = output_size(spec, probes)
    if min(size) < SMALLEST_RESULT:
        yield Mistake("size", f"{size.width} x {size.height} pixels are too few to render; choose a size")


def _rate_mistakes(spec: EditSpec) -> Iterator[Mistake]:
    if spec.rate is not None and not LOWEST_RATE <= Fraction(spec.rate.num, spec.rate.den) <= HIGHEST_RATE:
        text = f"{spec.rate.num} / {spec.rate.den} is not between {LOWEST_RATE} and {HIGHEST_RATE} frames a second"
        yield Mistake("rate", text)


def _clips_mistakes(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Iterator[Mistake]:
    ratio = output_size(spec, probes).ratio
    for index, clip in enumerate(spec.clips):
        yield from (
            Mistake(f"clips.{index}.{field}", message)
            for field, message in (*_range_mistakes(clip, probes[clip.source]), *_crop_mistakes(clip, probes, ratio))
        )


def _range_mistakes(clip: ClipEdit, probe: ProbeInfo) -> Iterator[tuple[str, str]]:
    if clip.out_frame > probe.frame_count:
        yield "out_frame", f"{clip.out_frame} is beyond the {probe.frame_count} frames of the video"
    if clip.trim is not None and clip.trim.out_frame > clip.frame_count:
        yield "trim.out_frame", f"{clip.trim.out_frame} is beyond the clip's {clip.frame_count} frames"
    if clip.retime is not None and clip.retime.boundaries[-1] != clip.frame_count:
        yield "retime.boundaries", f"the last is {clip.retime.boundaries[-1]}, not the clip's {clip.frame_count} frames"


def _crop_mistakes(clip: ClipEdit, probes: Sequence[ProbeInfo], ratio: float) -> Iterator[tuple[str, str]]:
    for index, keyframe in enumerate(clip.crop_keyframes):
        place = f"crop_keyframes.{index}"
        if keyframe.frame >= clip.frame_count:
            yield f"{place}.frame", f"{keyframe.frame} is outside the clip of {clip.frame_count} frames"
        for name, text in _rectangle_mistakes(keyframe, probes[clip.source], ratio):
            yield f"{place}.{name}", text


def _rectangle_mistakes(keyframe: CropKeyframe, probe: ProbeInfo, ratio: float) -> Iterator[tuple[str, str]]:
    x, y, width, height = keyframe.x, keyframe.y, keyframe.width, keyframe.height
    if not all(math.isfinite(value) for value in (x, y, width, height)):
        yield "x", f"({x}, {y}, {width}, {height}) is not a rectangle of finite numbers"
        return
    if x < -EDGE_TOLERANCE or x + width > probe.width + EDGE_TOLERANCE:
        yield "x", f"{x:g} to {x + width:g} leaves the {probe.width} pixels of the source's width"
    if y < -EDGE_TOLERANCE or y + height > probe.height + EDGE_TOLERANCE:
        yield "y", f"{y:g} to {y + height:g} leaves the {probe.height} pixels of the source's height"
    if width < SMALLEST_CROP or height < SMALLEST_CROP:
        yield "width", f"{width:g} x {height:g} is smaller than {SMALLEST_CROP} x {SMALLEST_CROP} pixels"
    if abs(width / height / ratio - 1) > RATIO_TOLERANCE:
        yield "width", f"{width:g} / {height:g} = {width / height:.4f} is not the output's ratio {ratio:.4f} within 1 %"


def _length_mistakes(spec: EditSpec, probes: Sequence[ProbeInfo]) -> Iterator[Mistake]:
    placements = timeline(spec, probes)
    for index, (placement, ramp) in enumerate(zip(placements, ramps(spec.transition, len(placements)), strict=True)):
        yield from _placement_mistakes(placement, ramp, index)
    frames, rate = placements[-1].end, output_rate(spec, probes)
    if frames > LONGEST_SECONDS * rate:
        yield Mistake("clips", f"the result takes {float(frames / rate):.0f} s; choose at most {LONGEST_SECONDS} s")
    yield from _region_mistakes(spec.regions, frames)


def _placement_mistakes(placement: Placement, ramp: Ramp, index: int) -> Iterator[Mistake]:
    needed = ramp.fade_in + ramp.fade_out
    if placement.count == 0:
        yield Mistake(f"clips.{index}", "at this speed the clip is shorter than half a frame; choose a longer range")
    elif placement.count < needed:
        text = f"the clip takes {placement.count} frames, its transitions need {needed}; shorten them"
        yield Mistake(f"clips.{index}", text)


def _region_mistakes(regions: Sequence[HighlightRegion], frames: int) -> Iterator[Mistake]:
    for index, region in enumerate(regions):
        place = f"regions.{index}"
        if region.out_frame > frames:
            yield Mistake(f"{place}.out_frame", f"{region.out_frame} is beyond the {frames} frames of the result")
        for number, key in enumerate(region.keyframes):
            if not region.in_frame <= key.frame < region.out_frame:
                text = f"{key.frame} is outside the region's {region.in_frame} to {region.out_frame}"
                yield Mistake(f"{place}.keyframes.{number}.frame", text)
            if not all(abs(value) <= FARTHEST_CENTRE for value in (key.x, key.y)):
                text = f"({key.x:g}, {key.y:g}) is not within {FARTHEST_CENTRE} pixels of the picture's corner"
                yield Mistake(f"{place}.keyframes.{number}.x", text)
            if not all(SMALLEST_RADIUS <= radius <= LARGEST_RADIUS for radius in (key.radius_x, key.radius_y)):
                text = (
                    f"{key.radius_x:g} x {key.radius_y:g} is not between {SMALLEST_RADIUS} and {LARGEST_RADIUS} pixels"
                )
                yield Mistake(f"{place}.keyframes.{number}.radius_x", text)
    for earlier, later in pairwise(sorted(regions, key=lambda region: region.in_frame)):
        if later.in_frame < earlier.out_frame:
            text = f"{later.in_frame} to {later.out_frame} overlaps the one from {earlier.in_frame}"
            yield Mistake("regions", text)

"""Says everything that is wrong with an edit of a certain source, not just the first thing."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from gpu.plan.geometry import Size, even
from gpu.plan.spec import CropKeyframe, EditSpec, ProbeInfo

RATIO_TOLERANCE = 0.01
EDGE_TOLERANCE = 0.5
"""Pixels by which a rectangle may stick out; it is moved inside."""
SMALLEST_CROP = 16
LONGEST_SECONDS = 1200


class Mistake(NamedTuple):
    """`field` is the path into the EditSpec, such as `crop_keyframes.2.width`."""

    field: str
    message: str


class SpecError(ValueError):
    """The edit does not fit its source; `mistakes` has at least one entry."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in mistakes))
        self.mistakes = mistakes


def check_spec(spec: EditSpec, probe: ProbeInfo) -> None:
    """Raises SpecError with all mistakes."""
    if found := (*_range_mistakes(spec, probe), *_crop_mistakes(spec, probe)):
        raise SpecError(found)


def output_size(spec: EditSpec, probe: ProbeInfo) -> Size:
    """Size of the rendered picture: the one asked for, or the source's made even."""
    if spec.size is not None:
        return Size(spec.size.width, spec.size.height)
    return even(Size(probe.width, probe.height))


def _range_mistakes(spec: EditSpec, probe: ProbeInfo) -> Iterator[Mistake]:
    if spec.out_frame > probe.frame_count:
        yield Mistake("out_frame", f"{spec.out_frame} is beyond the {probe.frame_count} frames of the video")
    seconds = (spec.out_frame - spec.in_frame) * probe.fps_den / probe.fps_num
    if seconds > LONGEST_SECONDS:
        yield Mistake("out_frame", f"the clip takes {seconds:.0f} s; choose at most {LONGEST_SECONDS} s")


def _crop_mistakes(spec: EditSpec, probe: ProbeInfo) -> Iterator[Mistake]:
    ratio = output_size(spec, probe).ratio
    frames = spec.out_frame - spec.in_frame
    for index, keyframe in enumerate(spec.crop_keyframes):
        place = f"crop_keyframes.{index}"
        if keyframe.frame >= frames:
            yield Mistake(f"{place}.frame", f"{keyframe.frame} is outside the clip of {frames} frames")
        yield from (Mistake(f"{place}.{name}", text) for name, text in _rectangle_mistakes(keyframe, probe, ratio))


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

"""The highlight's ellipse for each output frame of the enabled regions, and nothing outside of them."""

from bisect import bisect_right
from collections.abc import Sequence

from gpu.plan.ellipse import Ellipse
from gpu.plan.interpolation import interpolated
from gpu.plan.spec import HighlightRegion


def ellipse_track(regions: Sequence[HighlightRegion], frame_count: int) -> list[Ellipse | None]:
    """One entry for each of `frame_count` output frames; regions do not overlap."""
    track: list[Ellipse | None] = [None] * frame_count
    for region in regions:
        if region.enabled:
            frames = range(region.in_frame, min(region.out_frame, frame_count))
            track[frames.start : frames.stop] = _ellipses(region, frames)
    return track


def _ellipses(region: HighlightRegion, frames: range) -> list[Ellipse]:
    keys = region.keyframes
    at, easings = [key.frame for key in keys], [key.easing for key in keys]
    channels = [
        interpolated(at, values, easings, frames)
        for values in (
            [key.x for key in keys],
            [key.y for key in keys],
            [key.radius_x for key in keys],
            [key.radius_y for key in keys],
            [key.stroke_opacity for key in keys],
            [key.fill_opacity for key in keys],
        )
    ]
    colors = [keys[max(bisect_right(at, frame) - 1, 0)].color for frame in frames]
    return [
        Ellipse(x, y, radius_x, radius_y, color, stroke, fill, _strength(region, frame))
        for frame, color, x, y, radius_x, radius_y, stroke, fill in zip(frames, colors, *channels, strict=True)
    ]


def _strength(region: HighlightRegion, frame: int) -> float:
    """Grows in equal steps over the fade and reaches 1 on the frame after it; falls the same way."""
    steps = region.fade_frames + 1
    return min(1.0, (frame - region.in_frame + 1) / steps, (region.out_frame - frame) / steps)

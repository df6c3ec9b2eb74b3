"""Draws whole pictures of a source smaller, upright and with square pixels, as a render draws its crops."""

from fractions import Fraction

import cv2
from av.video.frame import VideoFrame

from gpu.plan.geometry import Rect, Size
from gpu.render.media import Media
from gpu.render.picture import normalised
from gpu.render.warp import Warp


class Scaler:
    """Draws pictures of one source at `size`; made once per source, in the thread that decodes."""

    def __init__(self, media: Media, size: Size) -> None:
        cv2.setNumThreads(1)
        stored = Size(media.first.width, media.first.height)
        shape = media.video.sample_aspect_ratio or Fraction(1)
        self._warp = Warp(stored, media.rotation, shape, size, mirrored=media.mirrored)
        self._shown = _shown(media.display_size, size)

    def draw(self, frame: VideoFrame, target: VideoFrame) -> None:
        """Writes all of a decoded picture over all of `target`, a yuv420p frame of `size`: bt709, TV range."""
        self._warp.draw(normalised(frame), self._shown, target)


def _shown(display: Size, size: Size) -> Rect:
    """All of the picture; of one that is not made smaller, all but an odd last row or column, so that it is copied."""
    cut = max(display.width - size.width, display.height - size.height)
    return Rect(0.0, 0.0, *map(float, size if cut <= 1 else display))

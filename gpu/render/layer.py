"""One clip's pictures, drawn one after the other: the plan's frames of its source, each cropped to the output."""

from collections.abc import Generator
from fractions import Fraction

from av.video.frame import VideoFrame

from gpu.plan.geometry import Size
from gpu.plan.render_plan import ClipPlan, RenderPlan
from gpu.render.caption import CaptionPainter
from gpu.render.media import Media
from gpu.render.picture import normalised, planes
from gpu.render.reader import Picture, Range, read_range
from gpu.render.warp import Warp


class Layer:
    """Draws output frames of `clip` from frame `start` of the output on, in order and each once."""

    def __init__(self, plan: RenderPlan, clip: ClipPlan, media: Media, start: int) -> None:
        self._clip, self._next = clip, start - clip.first
        stored = Size(media.first.width, media.first.height)
        shape = media.video.sample_aspect_ratio or Fraction(1)
        self._warp = Warp(stored, media.rotation, shape, plan.size, mirrored=media.mirrored)
        frames = clip.source_frames
        wanted = Range(frames[self._next], frames[-1] + 1, plan.sources[clip.source].rate)
        self._pictures = _pictures(media, wanted)
        self._shown: tuple[int, VideoFrame] | None = None
        self._caption = CaptionPainter(plan.size, clip.caption) if clip.caption is not None else None

    @property
    def opacity(self) -> float:
        """Of the next picture."""
        return self._clip.opacities[self._next]

    def draw(self, target: VideoFrame) -> None:
        """Writes all of `target`, a yuv420p frame of output size."""
        self._warp.draw(self._frame(self._clip.source_frames[self._next]), self._clip.crops[self._next], target)
        if self._caption is not None:
            self._caption.draw(planes(target))
        self._next += 1

    def close(self) -> None:
        self._pictures.close()

    def _frame(self, number: int) -> VideoFrame:
        """Frame `number` of the source; a clip that plays slower asks for the same one again."""
        if self._shown is None or self._shown[0] != number:
            picture = next(one for one in self._pictures if one.number == number)
            self._shown = number, normalised(picture.frame)
        return self._shown[1]


def _pictures(media: Media, wanted: Range) -> Generator[Picture]:
    for item in read_range(media, wanted, with_sound=False):
        if isinstance(item, Picture):
            yield item

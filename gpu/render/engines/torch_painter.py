"""Paints the output's pictures on a torch device, in batches: what `gpu.render.painter` does, in the same order.

Pictures come from the decoder, in memory or on the GPU already, and go back to memory for the encoder. Every stage is
rounded to whole codes as the reference engine's planes are, so both differ by rounding alone.
"""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from gpu.plan.geometry import Size
from gpu.plan.render_plan import ClipPlan, RenderPlan
from gpu.render.bt2100 import CURVES
from gpu.render.composite import BLACK_Y, GREY_UV
from gpu.render.engines.lent_plane import lent
from gpu.render.engines.plate import Plate, plate
from gpu.render.engines.torch_highlight import highlight
from gpu.render.engines.torch_warp import PURPOSE, STEPS, Tensor, TorchWarp
from gpu.render.media import Media
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE, normalised, planes
from gpu.render.reader import Picture, Range, read_range
from gpu.render.shelf import Shelf
from gpu.weights.libraries import library

BATCH_PIXELS = 16_000_000
"""Drawn at once: eight pictures of 1080p, two of 4K. In float32 with what is made on the way they take about 1 GB."""
_ON_GPU = "cuda"
_EIGHT_BITS = "nv12"


def painted(
    plan: RenderPlan, frames: range, shelf: Shelf, device: str, batch: int | None = None
) -> Generator[VideoFrame]:
    """Output frames `frames` of the plan, yuv420p bt709 of its size.

    Raises MediaFailure, and RuntimeError when the device has no memory left.
    """
    torch = library("torch", PURPOSE)
    length = batch or max(1, BATCH_PIXELS // (plan.size.width * plan.size.height))
    with ExitStack() as open_layers:
        stage = _Stage(plan, frames.start, shelf, device, open_layers)
        for start in range(frames.start, frames.stop, length):
            numbers = range(start, min(start + length, frames.stop))
            with torch.inference_mode():
                canvas = stage.draw(numbers)
                highlight(canvas, [plan.ellipses[number] for number in numbers], plan.style)
                pictures = _downloaded(canvas, plan.size)
            yield from pictures


class _Stage:
    """The clips that are on at the moment."""

    def __init__(self, plan: RenderPlan, first: int, shelf: Shelf, device: str, stack: ExitStack) -> None:
        self._plan, self._shelf, self._device, self._stack = plan, shelf, device, stack
        self._waiting = deque(clip for clip in plan.clips if clip.end > first)
        self._on: list[tuple[_Layer, ExitStack]] = []

    def draw(self, numbers: range) -> list[Tensor]:
        """Output frames `numbers`, which follow those of the call before: Y, U and V of shape (n, rows, columns)."""
        canvas = self._black(len(numbers))
        for layer, loan in list(self._on):
            self._lay(layer, loan, numbers, canvas)
        while self._waiting and self._waiting[0].first < numbers.stop:
            self._lay(*self._open(self._waiting.popleft(), numbers.start), numbers, canvas)
        return canvas

    def _lay(self, layer: "_Layer", loan: ExitStack, numbers: range, canvas: Sequence[Tensor]) -> None:
        """Draws a clip over what is there; one that ends here gives its source back to the next."""
        torch = library("torch", PURPOSE)
        clip = layer.clip
        shown = range(max(numbers.start, clip.first), min(numbers.stop, clip.end))
        place = slice(shown.start - numbers.start, shown.stop - numbers.start)
        opacity = torch.tensor([clip.opacities[number - clip.first] for number in shown], device=self._device)
        for under, over in zip(canvas, layer.draw(shown), strict=True):
            over -= under[place]
            over *= opacity[:, None, None]
            under[place] += over
            under[place].round_()
        if clip.end <= numbers.stop:
            self._on.remove((layer, loan))
            loan.close()

    def _open(self, clip: ClipPlan, start: int) -> tuple["_Layer", ExitStack]:
        loan = self._stack.enter_context(ExitStack())
        media = loan.enter_context(self._shelf.lend(clip.source))
        layer = _Layer(self._plan, clip, media, max(start, clip.first), self._device)
        loan.callback(layer.close)
        self._on.append((layer, loan))
        return layer, loan

    def _black(self, count: int) -> list[Tensor]:
        torch = library("torch", PURPOSE)
        width, height = self._plan.size
        return [
            torch.full((count, height // step, width // step), float(level), device=self._device)
            for step, level in zip(STEPS, (BLACK_Y, GREY_UV, GREY_UV), strict=True)
        ]


class _Layer:
    """Draws output frames of `clip` from frame `start` of the output on, in order and each once."""

    def __init__(self, plan: RenderPlan, clip: ClipPlan, media: Media, start: int, device: str) -> None:
        self.clip, self._device = clip, device
        stored = Size(media.first.width, media.first.height)
        shape = media.video.sample_aspect_ratio or Fraction(1)
        self._warp = TorchWarp(stored, media.rotation, shape, plan.size, mirrored=media.mirrored)
        frames = clip.source_frames
        wanted = Range(frames[start - clip.first], frames[-1] + 1, plan.sources[clip.source].rate)
        self._pictures = _pictures(media, wanted)
        self._shown: tuple[int, Sequence[Tensor]] | None = None
        caption = plate(plan.size, clip.caption) if clip.caption is not None else None
        self._plate = _Plate(caption, device) if caption is not None else None

    def draw(self, numbers: range) -> list[Tensor]:
        """Y, U and V of shape (n, rows, columns), float32 codes."""
        torch = library("torch", PURPOSE)
        own = slice(numbers.start - self.clip.first, numbers.stop - self.clip.first)
        pictures = [self._frame(number) for number in self.clip.source_frames[own]]
        stacked = [torch.stack(each) for each in zip(*pictures, strict=True)]
        drawn = self._warp.draw(stacked, self.clip.crops[own])
        if self._plate is not None:
            self._plate.draw(drawn)
        return drawn

    def close(self) -> None:
        self._pictures.close()

    def _frame(self, number: int) -> Sequence[Tensor]:
        """Frame `number` of the source; a clip that plays slower asks for the same one again."""
        if self._shown is None or self._shown[0] != number:
            picture = next(one for one in self._pictures if one.number == number)
            self._shown = number, _on_device(picture.frame, self._device)
        return self._shown[1]


class _Plate:
    """A caption's plate on the device."""

    def __init__(self, caption: Plate, device: str) -> None:
        torch = library("torch", PURPOSE)
        self._planes = [
            (one, *(torch.from_numpy(values).to(device).float() for values in (one.kept, one.added)))
            for one in caption.planes
        ]

    def draw(self, pictures: Sequence[Tensor]) -> None:
        for picture, (place, kept, added) in zip(pictures, self._planes, strict=True):
            height, width = place.kept.shape
            part = picture[:, place.top : place.top + height, place.left : place.left + width]
            part *= kept / 255
            part.round_()
            part += added


def _pictures(media: Media, wanted: Range) -> Generator[Picture]:
    for item in read_range(media, wanted, with_sound=False):
        if isinstance(item, Picture):
            yield item


def _on_device(frame: VideoFrame, device: str) -> tuple[Any, ...]:
    """Y, U and V as bytes on the device."""
    torch = library("torch", PURPOSE)
    if frame.format.name == _ON_GPU:
        if _is_plain(frame):
            luma, chroma = (lent(plane).clone() for plane in frame.planes)
            return luma, chroma[..., 0], chroma[..., 1]
        if frame.sw_format is None:
            raise RuntimeError("a picture on the GPU does not tell its format")
        frame = frame.reformat(format=frame.sw_format.name)
    return tuple(torch.from_numpy(plane).to(device) for plane in planes(normalised(frame)))


def _is_plain(frame: VideoFrame) -> bool:
    """Whether a picture on the GPU is what `normalised` would leave as it is; others take the way through memory."""
    return (
        frame.sw_format is not None
        and frame.sw_format.name == _EIGHT_BITS
        and frame.width % 2 == frame.height % 2 == 0
        and frame.colorspace == BT709
        and frame.color_range in (0, TV_RANGE)
        and frame.color_trc not in CURVES
    )


def _downloaded(canvas: Sequence[Tensor], size: Size) -> list[VideoFrame]:
    torch = library("torch", PURPOSE)
    stored = [plane.to(torch.uint8).cpu().numpy() for plane in canvas]
    pictures = []
    for drawn in zip(*stored, strict=True):
        picture = VideoFrame(*size, PIXEL_FORMAT)
        for plane, codes in zip(planes(picture), drawn, strict=True):
            np.copyto(plane, codes)
        pictures.append(picture)
    return pictures

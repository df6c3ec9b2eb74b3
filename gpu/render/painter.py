"""Paints the output's pictures in order: clips with their captions, transitions, highlight, in that order from below.

It draws the plan and decides nothing itself. Frames come from a pool, to which the caller returns them.
"""

from collections import deque
from collections.abc import Generator
from contextlib import ExitStack

import cv2
from av.video.frame import VideoFrame

from gpu.plan.render_plan import ClipPlan, RenderPlan
from gpu.render.composite import blend, darken
from gpu.render.highlight import Highlighter
from gpu.render.layer import Layer
from gpu.render.picture import PIXEL_FORMAT, planes
from gpu.render.shelf import Shelf

FramePool = deque[VideoFrame]


def painted(plan: RenderPlan, frames: range, shelf: Shelf, pool: FramePool) -> Generator[VideoFrame]:
    """Output frames `frames` of the plan, yuv420p bt709 of its size. Raises MediaFailure."""
    cv2.setNumThreads(1)
    with ExitStack() as open_layers:
        stage = _Stage(plan, frames.start, shelf, open_layers)
        highlighter = Highlighter(plan.size, plan.style)
        for number in frames:
            picture = pool.pop() if pool else VideoFrame(*plan.size, PIXEL_FORMAT)
            stage.draw(number, picture)
            if (ellipse := plan.ellipses[number]) is not None:
                highlighter.draw(planes(picture), ellipse, planes(picture))
            yield picture


class _Stage:
    """The clips that are on at the moment, at most two."""

    def __init__(self, plan: RenderPlan, first: int, shelf: Shelf, stack: ExitStack) -> None:
        self._plan, self._first, self._shelf, self._stack = plan, first, shelf, stack
        self._waiting = deque(clip for clip in plan.clips if clip.end > first)
        self._on: list[tuple[ClipPlan, Layer, ExitStack]] = []
        self._above: VideoFrame | None = None

    def draw(self, number: int, picture: VideoFrame) -> None:
        self._change(number)
        (_, lowest, _), *others = self._on
        opacity = lowest.opacity
        lowest.draw(picture)
        if opacity < 1:
            darken(planes(picture), opacity)
        for _, layer, _ in others:
            opacity = layer.opacity
            above = self._above = self._above or VideoFrame(*self._plan.size, PIXEL_FORMAT)
            layer.draw(above)
            blend(planes(above), planes(picture), opacity, planes(picture))

    def _change(self, number: int) -> None:
        """Clips that ended go, clips that begin come."""
        while self._on and self._on[0][0].end <= number:
            self._on.pop(0)[2].close()
        while self._waiting and self._waiting[0].first <= number:
            clip = self._waiting.popleft()
            lent = self._stack.enter_context(ExitStack())
            media = lent.enter_context(self._shelf.lend(clip.source))
            layer = Layer(self._plan, clip, media, number)
            lent.callback(layer.close)
            self._on.append((clip, layer, lent))

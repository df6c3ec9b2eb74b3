"""Encodes one part of a plan: one thread reads, decodes and paints, the caller's thread encodes.

FFmpeg calls back into Python only in the former, where no signal is handled: an exception raised inside such a callback
would be lost.
"""

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path

from av.video.frame import VideoFrame

from gpu.plan.render_plan import RenderPlan
from gpu.render.overlap import overlapped
from gpu.render.painter import FramePool, painted
from gpu.render.shelf import Shelf
from gpu.render.sources import Sources
from gpu.render.writer import PartWriter

_PICTURES_AHEAD = 2


def encode_part(plan: RenderPlan, frames: range, sources: Sources, path: Path, on_frame: Callable[[int], None]) -> None:
    """Writes output frames `frames` to `path`; `on_frame` gets the number written so far. Raises MediaFailure."""
    pool: FramePool = deque()
    shelf = Shelf(sources)

    def pictures() -> Generator[VideoFrame]:
        with shelf:
            yield from painted(plan, frames, shelf, pool)

    with overlapped(pictures(), _PICTURES_AHEAD, shelf.abort) as ready, PartWriter(path, plan.size, plan.rate) as out:
        for written, picture in enumerate(ready, 1):
            out.add(picture)
            pool.append(picture)
            on_frame(written)

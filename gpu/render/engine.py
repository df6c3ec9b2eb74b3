"""The reference engine: PyAV decodes and encodes, OpenCV warps. It draws the plan and decides nothing itself.

One thread reads, decodes and warps; the caller's thread encodes. FFmpeg calls back into Python only in the former,
where no signal is handled: an exception raised inside such a callback would be lost.
"""

from collections import deque
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path

import cv2
from av.video.frame import VideoFrame

from gpu.plan.geometry import Size
from gpu.plan.render_plan import RenderPlan
from gpu.render.media import Media, open_media
from gpu.render.metered import SeekableFile
from gpu.render.overlap import overlapped
from gpu.render.picture import PIXEL_FORMAT, normalised
from gpu.render.reader import Range, Sound, read_range
from gpu.render.soundtrack import Soundtrack
from gpu.render.warp import Warp
from gpu.render.writer import Mp4Writer

ENGINE = "pyav-1"
"""Name of the engine and of its version; another version may write other bytes for the same plan."""
_PICTURES_AHEAD = 8

Planner = Callable[[Media], RenderPlan]
FramePool = deque[VideoFrame]


def render(
    file: SeekableFile,
    planner: Planner,
    path: Path,
    on_frame: Callable[[int], None],
    stop_reading: Callable[[], None] = lambda: None,
) -> RenderPlan:
    """Writes the clip that `planner` plans to `path`; `on_frame` gets the number of frames written so far.

    An exception, the caller's own included, leaves a part of a file at `path`. `stop_reading` is called then, to end a
    read that waits for the network. Raises MediaFailure.
    """
    pool: FramePool = deque()
    with overlapped(_painted(file, planner, pool), _PICTURES_AHEAD, stop_reading) as items:
        plan = next(items)
        if not isinstance(plan, RenderPlan):
            raise TypeError(f"the first thing painted is a {type(plan).__name__}, not the plan")
        track = Soundtrack(plan.sound) if plan.sound else None
        written = 0
        with Mp4Writer(path, plan) as writer:
            for item in items:
                if isinstance(item, VideoFrame):
                    writer.add_picture(item)
                    pool.append(item)
                    written += 1
                    on_frame(written)
                elif isinstance(item, Sound) and track is not None:
                    for samples in track.add(item):
                        writer.add_sound(samples)
            for samples in track.finish() if track else ():
                writer.add_sound(samples)
    return plan


def _painted(file: SeekableFile, planner: Planner, pool: FramePool) -> Generator[RenderPlan | VideoFrame | Sound]:
    """The plan, then the output's pictures in order, and the sound as it comes.

    Pictures are painted into frames of the pool, to which the caller returns them.
    """
    with open_media(file) as media:
        plan = planner(media)
        yield plan
        cv2.setNumThreads(1)
        stored = Size(media.first.width, media.first.height)
        warp = Warp(stored, media.rotation, media.video.sample_aspect_ratio or Fraction(1), plan.size)
        wanted = Range(plan.source_frames[0], plan.source_frames[-1] + 1, Fraction(plan.fps_num, plan.fps_den))
        for item in read_range(media, wanted, with_sound=plan.sound is not None):
            if isinstance(item, Sound):
                yield item
            else:
                picture = pool.pop() if pool else VideoFrame(*plan.size, PIXEL_FORMAT)
                warp.draw(normalised(item.frame), plan.crops[item.number - wanted.first], picture)
                yield picture

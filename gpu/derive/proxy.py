"""Makes the edit proxy of a range: small pictures on the source's own frame grid, and the sound beside them.

One thread reads, decodes and scales; the caller's thread encodes, as in `gpu.render.engine` and for the same reason.
Memory does not grow with the length of the range.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from gpu.derive.facts import ProxyFacts
from gpu.derive.proxy_writer import ProxyWriter
from gpu.derive.publish import published
from gpu.derive.rules import frame_step, proxy_size
from gpu.derive.scaling import Scaler
from gpu.plan.duration import SAMPLE_RATE, nearest
from gpu.plan.geometry import Size
from gpu.plan.render_plan import SoundRange
from gpu.render import gates
from gpu.render.errors import MediaFailure
from gpu.render.media import Media, open_media
from gpu.render.metered import SeekableFile
from gpu.render.output import file_sha256
from gpu.render.overlap import overlapped
from gpu.render.picture import PIXEL_FORMAT
from gpu.render.reader import Range, Sound, read_range
from gpu.render.soundtrack import Soundtrack
from gpu.render.timing import find_grid

_PICTURES_AHEAD = 8

FramePool = deque[VideoFrame]


@dataclass(frozen=True)
class _Plan:
    """Which frames of the source's grid become the proxy: every `step`-th of the range."""

    size: Size
    wanted: Range
    step: int
    sound: SoundRange | None

    @property
    def rate(self) -> Fraction:
        return self.wanted.rate / self.step

    @property
    def frame_count(self) -> int:
        return -((self.wanted.first - self.wanted.end) // self.step)

    def frames_done(self, written: int) -> int:
        """Frames of the range that `written` frames of the proxy stand for."""
        return min(written * self.step, self.wanted.end - self.wanted.first)


def write_proxy(
    file: SeekableFile,
    path: Path,
    frames: range | None = None,
    on_frame: Callable[[int], None] = lambda done: None,
    stop_reading: Callable[[], None] = lambda: None,
) -> ProxyFacts:
    """Writes the proxy of `frames` of the source's grid, of all of them by default, to `path`.

    `on_frame` gets the number of frames of the range done so far, at the end all of them. An exception, the caller's
    own included, leaves nothing at `path`; `stop_reading` is called then, to end a read that waits for the network.
    Raises MediaFailure, `bad_spec` for frames that the source does not have.
    """
    pool: FramePool = deque()
    with published(path) as part:
        with overlapped(_scaled(file, frames, pool), _PICTURES_AHEAD, stop_reading) as items:
            plan = next(items)
            if not isinstance(plan, _Plan):
                raise TypeError(f"the first thing read is a {type(plan).__name__}, not the plan")
            track = Soundtrack(plan.sound) if plan.sound else None
            written = 0
            with ProxyWriter(part, plan.size, plan.rate, with_sound=track is not None) as writer:
                for item in items:
                    if isinstance(item, VideoFrame):
                        writer.add_picture(item)
                        pool.append(item)
                        written += 1
                        on_frame(plan.frames_done(written))
                    elif isinstance(item, Sound) and track is not None:
                        for samples in track.add(item):
                            writer.add_sound(samples)
                for samples in track.finish() if track else ():
                    writer.add_sound(samples)
        return _checked(part, plan)


def _scaled(file: SeekableFile, frames: range | None, pool: FramePool) -> Generator[_Plan | VideoFrame | Sound]:
    """The plan, then the proxy's pictures in order, painted into frames of the pool, and the sound as it comes."""
    with open_media(file) as media:
        plan = _planned(media, frames)
        yield plan
        scaler = Scaler(media, plan.size)
        for item in read_range(media, plan.wanted, with_sound=plan.sound is not None):
            if isinstance(item, Sound):
                yield item
            elif (item.number - plan.wanted.first) % plan.step == 0:
                picture = pool.pop() if pool else VideoFrame(*plan.size, PIXEL_FORMAT)
                scaler.draw(item.frame, picture)
                yield picture


def _planned(media: Media, frames: range | None) -> _Plan:
    grid = find_grid(media)
    wanted = range(grid.frame_count) if frames is None else frames
    if wanted.step != 1:
        raise ValueError(f"{wanted} leaves frames out; ask for all frames of a range")
    if not 0 <= wanted.start < wanted.stop <= grid.frame_count:
        reason = f"frames {wanted.start} to {wanted.stop} are not a part of the video's {grid.frame_count}"
        raise MediaFailure("bad_spec", reason)
    span = Range(wanted.start, wanted.stop, grid.rate)
    sound = _sound_range(span) if media.audio is not None else None
    return _Plan(proxy_size(media.display_size), span, frame_step(grid.rate), sound)


def _sound_range(span: Range) -> SoundRange:
    """The samples from the start of the first frame to the end of the last, rounded as the plan of a render does."""
    start, end = (
        nearest(frame * span.rate.denominator * SAMPLE_RATE, span.rate.numerator) for frame in (span.first, span.end)
    )
    return SoundRange(start, end - start)


def _checked(part: Path, plan: _Plan) -> ProxyFacts:
    """Reads the written file; raises MediaFailure `internal` when it is not what was planned."""
    measured = gates.measure(part)
    if faults := list(_faults(measured, plan)):
        raise MediaFailure("internal", f"the proxy failed its checks: {'; '.join(faults)}")
    return ProxyFacts(
        width=measured.width,
        height=measured.height,
        fps_num=plan.rate.numerator,
        fps_den=plan.rate.denominator,
        frame_count=measured.frame_count,
        duration_ms=nearest(measured.frame_count * plan.rate.denominator * 1000, plan.rate.numerator),
        first_frame=plan.wanted.first,
        frame_step=plan.step,
        has_sound=measured.audio_seconds is not None,
        size_bytes=part.stat().st_size,
        sha256=file_sha256(part),
    )


def _faults(measured: gates.Measured, plan: _Plan) -> Iterator[str]:
    if (measured.width, measured.height) != plan.size:
        yield f"it is {measured.width} x {measured.height}, planned {plan.size.width} x {plan.size.height}"
    if measured.frame_count != plan.frame_count:
        yield f"it has {measured.frame_count} frames, planned {plan.frame_count}"
    if any(abs(stamp * plan.rate - number) > Fraction(1, 100) for number, stamp in enumerate(measured.timestamps)):
        yield "its frames are not evenly spaced from 0"
    if (measured.audio_seconds is None) != (plan.sound is None):
        yield "it has sound against the plan" if plan.sound is None else "it has no sound"
    if not measured.index_first:
        yield "its index is not at the front"

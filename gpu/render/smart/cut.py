"""The smart cut itself: reads the edges' pictures, the packets between and the sound, and writes one MP4.

The sound lies among the pictures, so over HTTP a clip that is larger than the cache of blocks is fetched twice.

One thread reads and decodes, the caller's encodes (see `engine`). What is copied waits in a temporary file beside the
result, so that nothing is written before every packet has been checked, and the index can come first.
"""

import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from io import SEEK_END
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from av.video.frame import VideoFrame

from gpu.plan.duration import sample_at
from gpu.plan.geometry import Size
from gpu.plan.render_plan import SoundRange
from gpu.render.errors import MediaFailure
from gpu.render.hearing import heard
from gpu.render.media import Media, open_media
from gpu.render.metered import SeekableFile
from gpu.render.overlap import overlapped
from gpu.render.picture import normalised
from gpu.render.reader import Picture, Range, Samples, read_range
from gpu.render.smart.closed import Closed, first_closed
from gpu.render.smart.edges import EdgeEncoder, Encoded
from gpu.render.smart.facts import parameter_sets, source_facts
from gpu.render.smart.middle import Copied, Run
from gpu.render.smart.movie import PictureTrack, SoundTrack, write_movie
from gpu.render.smart.parameters import ParameterSets
from gpu.render.smart.reason import NotCopyable, Reason
from gpu.render.smart.sound import EncodedSound, SoundEncoder
from gpu.render.timing import find_grid

ENGINE = "smart-1"
"""Name and version; another version may write other bytes for the same clip."""
_ITEMS_AHEAD = 8


@dataclass(frozen=True)
class SmartCut:
    """Frames [first_copied, copied_end) of the source's grid are the source's own pictures, the others encoded."""

    frames_copied: int
    frames_encoded: int
    first_copied: int
    copied_end: int
    sample_count: int | None


@dataclass(frozen=True)
class _Plan:
    """What the reader knows before the first picture."""

    wanted: Range
    size: Size
    sets: ParameterSets
    closed: Closed
    sound: SoundRange | None


@dataclass(frozen=True)
class _RunEnd:
    """Of the packets copied, the first `usable` stay."""

    usable: int


_Item = _Plan | VideoFrame | Copied | _RunEnd | Samples


def smart_cut(
    file: SeekableFile,
    in_frame: int,
    out_frame: int,
    path: Path,
    on_frame: Callable[[int], None],
    stop_reading: Callable[[], None] = lambda: None,
    *,
    with_sound: bool = True,
) -> SmartCut:
    """Writes frames [in_frame, out_frame) of the source's grid to `path`; `on_frame` gets the number done so far.

    Raises NotCopyable, and then has not created `path`: the clip needs the exact path. Raises MediaFailure as `engine`
    does. `stop_reading` is called when an exception comes while the reader still reads, to end a wait for the network;
    not after NotCopyable, so that the exact path can read the same source (from its start: the position is anywhere).
    """
    reading = threading.Event()

    def stop() -> None:
        if reading.is_set():
            stop_reading()

    items = _read(file, in_frame, out_frame, with_sound, reading)
    with overlapped(items, _ITEMS_AHEAD, stop) as read:
        plan = next(read)
        if not isinstance(plan, _Plan):
            raise TypeError(f"the first thing read is a {type(plan).__name__}, not the plan")
        with _Clip(plan, path.parent, on_frame) as clip:
            for item in read:
                clip.add(item)
            return clip.write(path)


def _read(
    file: SeekableFile, in_frame: int, out_frame: int, with_sound: bool, reading: threading.Event
) -> Generator[_Item]:
    """`reading` is set from the first read to the last; after the last item it is not."""
    reading.set()
    try:
        yield from _items(file, in_frame, out_frame, with_sound)
    finally:
        reading.clear()


def _items(file: SeekableFile, in_frame: int, out_frame: int, with_sound: bool) -> Generator[_Item]:
    with open_media(file) as media:
        grid = find_grid(media)
        if not 0 <= in_frame < out_frame <= grid.frame_count:
            raise MediaFailure(
                "bad_spec", f"frames {in_frame} to {out_frame} are not inside the video's {grid.frame_count}"
            )
        sets = parameter_sets(source_facts(media, grid))
        wanted = Range(in_frame, out_frame, grid.rate)
        closed = first_closed(media, wanted)
        sound = _sound_range(wanted) if with_sound and media.audio is not None else None
        yield _Plan(wanted, Size(media.first.width, media.first.height), sets, closed, sound)
        yield from _edge(media, Range(in_frame, closed.frame, grid.rate))
        run = Run(closed.frame, out_frame, media.zero, grid.rate, sets)
        yield from _copied(media, closed, grid.rate, run)
        yield _RunEnd(run.usable)
        yield from _edge(media, Range(run.copied_end, out_frame, grid.rate))
        if sound is not None:
            yield from heard(media, sound)


def _edge(media: Media, wanted: Range) -> Iterator[VideoFrame]:
    if wanted.first < wanted.end:
        for item in read_range(media, wanted, with_sound=False):
            if isinstance(item, Picture):
                yield normalised(item.frame)


def _copied(media: Media, closed: Closed, rate: Fraction, run: Run) -> Iterator[Copied]:
    media.seek(closed.frame / rate)
    for packet in media.container.demux(media.video):
        if packet.size and (run.begun or packet.dts == closed.decoded):
            yield run.take(packet)
        if run.done:
            return
    raise NotCopyable(Reason.DAMAGED)


class _Clip:
    """Collects the parts of the result in the order in which they are decoded; a context that removes its own files."""

    def __init__(self, plan: _Plan, folder: Path, on_frame: Callable[[int], None]) -> None:
        self._plan, self._folder, self._on_frame = plan, folder, on_frame
        self._encoder: EdgeEncoder | None = None
        self._edge_sets: ParameterSets | None = None
        self._sound = SoundEncoder() if plan.sound else None
        self._sizes: list[int] = []
        self._frames: list[int] = []
        self._keyframes: list[int] = []
        self._sound_sizes: list[int] = []
        self._copied = self._done = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._pictures_file = stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
            self._sound_file = stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
            self._opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def add(self, item: _Item) -> None:
        if isinstance(item, VideoFrame):
            self._add_frame(item)
        elif isinstance(item, Copied):
            self._end_edge()
            self._copied += 1
            self._add_picture(item.data, item.frame - self._plan.wanted.first, item.is_idr)
        elif isinstance(item, _RunEnd):
            self._drop(self._copied - item.usable)
            self._copied = item.usable
        elif isinstance(item, np.ndarray) and self._sound is not None:
            self._add_sound(self._sound.add(item))

    def write(self, path: Path) -> SmartCut:
        """Completes the clip; an exception leaves a part of it at `path`."""
        self._end_edge()
        track = self._sound_track()
        wanted, sets = self._plan.wanted, self._plan.sets
        record = (sets.joined(self._edge_sets) if self._edge_sets else sets).record()
        pictures = PictureTrack(self._plan.size, wanted.rate, record, self._sizes, self._frames, self._keyframes)
        for file in (self._pictures_file, self._sound_file):
            file.seek(0)
        with path.open("wb") as target:
            write_movie(target, pictures, self._pictures_file, track, self._sound_file)
        first = self._plan.closed.frame
        return SmartCut(
            frames_copied=self._copied,
            frames_encoded=wanted.end - wanted.first - self._copied,
            first_copied=first,
            copied_end=first + self._copied,
            sample_count=track.sample_count if track else None,
        )

    def _add_frame(self, frame: VideoFrame) -> None:
        if self._encoder is None:
            self._encoder = EdgeEncoder(self._plan.sets, self._plan.size, self._plan.wanted.rate)
            self._edge_sets = self._edge_sets or self._encoder.sets
            if self._encoder.sets != self._edge_sets:
                raise RuntimeError("the encoder gave the second edge other parameter sets than the first")
        self._add_encoded(self._encoder.add(frame))

    def _end_edge(self) -> None:
        if self._encoder is not None:
            self._add_encoded(self._encoder.finish())
            self._encoder = None

    def _add_encoded(self, pictures: Iterable[Encoded]) -> None:
        for picture in pictures:
            self._add_picture(picture.data, len(self._frames), picture.is_idr)

    def _add_picture(self, data: bytes, frame: int, is_idr: bool) -> None:
        if is_idr:
            self._keyframes.append(len(self._frames))
        self._frames.append(frame)
        self._add(self._pictures_file, self._sizes, data)
        if len(self._frames) > self._done:
            self._done = len(self._frames)
            self._on_frame(self._done)

    def _drop(self, count: int) -> None:
        """Takes the last pictures away: they are encoded anew."""
        if count:
            kept = len(self._frames) - count
            self._pictures_file.seek(-sum(self._sizes[kept:]), SEEK_END)
            self._pictures_file.truncate()
            del self._sizes[kept:], self._frames[kept:]
            self._keyframes = [index for index in self._keyframes if index < kept]

    def _sound_track(self) -> SoundTrack | None:
        if self._sound is None or self._plan.sound is None:
            return None
        self._add_sound(self._sound.finish())
        return SoundTrack(self._sound.header, self._sound_sizes, self._plan.sound.sample_count)

    def _add_sound(self, packets: Iterable[EncodedSound]) -> None:
        for packet in packets:
            self._add(self._sound_file, self._sound_sizes, packet.data)

    def _add(self, file: BinaryIO, sizes: list[int], data: bytes) -> None:
        file.write(data)
        sizes.append(len(data))


def _sound_range(wanted: Range) -> SoundRange:
    return SoundRange(sample_at(wanted.first, wanted.rate), sample_at(wanted.end - wanted.first, wanted.rate))

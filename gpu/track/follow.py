"""From a file and a range of frames to tracks. Pictures are made small and turned upright before anyone looks at them.

One thread reads and decodes, the caller's detects and tracks, for the reason that `gpu.render.engine` gives.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from gpu.plan.geometry import Size
from gpu.render.errors import MediaFailure
from gpu.render.media import Media, open_media
from gpu.render.metered import SeekableFile
from gpu.render.overlap import overlapped
from gpu.render.picture import normalised
from gpu.render.reader import Picture, Range, read_range
from gpu.render.timing import find_grid
from gpu.track.build import Seen, build_tracks
from gpu.track.detections import Box, Detection, RgbBatch
from gpu.track.detector import Detector
from gpu.track.tracker import NewTracker
from gpu.track.tracks import TrackResult

LARGEST_SIDE = 1280
"""Of the pictures that detectors see: their networks take about half of that."""
MOST_LOOKED_AT = 36_000
"""Twenty minutes at 30 frames a second, the longest clip."""
MOST_DETECTIONS = 100
"""Kept of one picture, the surest: a team, its opponents, the bench and the crowd's first row."""
FEWEST_SEEN = 3
"""Frames in which a track must be seen to be one; less is mostly a mistake."""
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class Search:
    """Frames [in_frame, out_frame) of the source, of which every `stride`-th is looked at."""

    in_frame: int
    out_frame: int
    stride: int = 1
    largest_side: int = LARGEST_SIDE

    def __post_init__(self) -> None:
        if not 0 <= self.in_frame < self.out_frame:
            raise MediaFailure("bad_spec", f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        if self.stride < 1 or self.largest_side < 16:
            raise MediaFailure("bad_spec", f"a stride of {self.stride} and sides of {self.largest_side} find nothing")
        if len(self.frames) > MOST_LOOKED_AT:
            raise MediaFailure("bad_spec", f"{len(self.frames)} frames to look at are more than {MOST_LOOKED_AT}")

    @property
    def frames(self) -> range:
        return range(self.in_frame, self.out_frame, self.stride)


class _Source(NamedTuple):
    size: Size
    rate: Fraction


class _Batch(NamedTuple):
    frames: list[int]
    pictures: RgbBatch


def follow(
    file: SeekableFile,
    search: Search,
    detector: Detector,
    new_tracker: NewTracker,
    on_frame: Callable[[int], None] = lambda _: None,
    stop_reading: Callable[[], None] = lambda: None,
) -> TrackResult:
    """Follows what `detector` finds; `on_frame` gets the number of frames looked at so far. Raises MediaFailure."""
    with overlapped(_read(file, search, detector.batch_size), _BATCHES_AHEAD, stop_reading) as items:
        source = next(items)
        if not isinstance(source, _Source):
            raise TypeError(f"the first thing read is a {type(source).__name__}, not the source")
        tracker = new_tracker(float(source.rate / search.stride))
        seen: list[Seen] = []
        for item in items:
            if isinstance(item, _Batch):
                for frame, detections in zip(item.frames, _detected(detector, item, source.size), strict=True):
                    seen.append(Seen(frame, detections, tracker.update(detections)))
                    on_frame(len(seen))
    return TrackResult(
        fps_num=source.rate.numerator,
        fps_den=source.rate.denominator,
        width=source.size.width,
        height=source.size.height,
        in_frame=search.in_frame,
        out_frame=search.out_frame,
        stride=search.stride,
        detector=detector.name,
        tracker=tracker.name,
        tracks=build_tracks(seen, search.out_frame, search.stride, min(FEWEST_SEEN, len(seen))),
    )


def _detected(detector: Detector, batch: _Batch, size: Size) -> Iterator[list[Detection]]:
    """Detections in display pixels, at most MOST_DETECTIONS a picture."""
    height, width = batch.pictures.shape[1:3]
    for found in detector.detect(batch.pictures):
        surest = sorted(found, key=lambda one: -one.score)[:MOST_DETECTIONS]
        yield [Detection(_on_display(one.box, size, Size(width, height)), one.score, one.label) for one in surest]


def _on_display(box: Box, display: Size, seen: Size) -> Box:
    return box.scaled(display.width / seen.width, display.height / seen.height)


def _read(file: SeekableFile, search: Search, batch_size: int) -> Generator[_Source | _Batch]:
    """What the source is, then the pictures to look at."""
    with open_media(file) as media:
        grid = find_grid(media)
        if search.out_frame > grid.frame_count:
            raise MediaFailure(
                "bad_spec", f"frame {search.out_frame} is after the video's end, frame {grid.frame_count}"
            )
        yield _Source(media.display_size, grid.rate)
        frames: list[int] = []
        pictures: list[RgbBatch] = []
        small = _shrunk(media.display_size, search.largest_side)
        for item in read_range(media, Range(search.in_frame, search.frames[-1] + 1, grid.rate), with_sound=False):
            if isinstance(item, Picture) and item.number in search.frames:
                frames.append(item.number)
                pictures.append(_upright(item.frame, media, small))
            if len(frames) == batch_size:
                yield _Batch(frames, np.stack(pictures))
                frames, pictures = [], []
        if frames:
            yield _Batch(frames, np.stack(pictures))


def _shrunk(size: Size, largest_side: int) -> Size:
    scale = min(1.0, largest_side / max(size))
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def _upright(frame: VideoFrame, media: Media, size: Size) -> RgbBatch:
    """The picture as it is displayed, at `size`, in RGB."""
    width, height = size if media.rotation % 180 == 0 else (size.height, size.width)
    small = normalised(frame).reformat(
        width,
        height,
        "rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return np.asarray(np.rot90(small.to_ndarray(), -media.rotation // 90), np.uint8)

"""Picks a picture near each of many frames and decodes little more than those pictures.

With a complete index, a keyframe at most half an interval away is decoded alone; where there is none, the frame itself
is, from the keyframe before it on. Without an index the file is read once from start to end: its keyframes only, or
every picture where keyframes are rare or the rate varies. The number of a picture is always that of the picture
decoded, never the one looked for. Keyframes are not deinterlaced: thumbnails are too small for fields to be seen.
"""

import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from math import floor
from typing import NamedTuple

import av
from av.stream import Discard
from av.video.frame import VideoFrame

from gpu.render.media import Media, shown_at
from gpu.render.reader import Picture, Range, read_range
from gpu.render.structure import gop_ms, keyframe_times
from gpu.render.timing import Grid

log = logging.getLogger(__name__)
_BEFORE_START = Fraction(-1)


class Choice(NamedTuple):
    """The frame looked for, and the frame of the keyframe to show for it; None shows the frame itself."""

    target: int
    keyframe: int | None


def pictures_near(media: Media, grid: Grid, targets: Sequence[int], interval: int) -> Iterator[Picture]:
    """One picture for each of the increasing `targets`, which are `interval` frames apart; all are frames of the grid.

    A picture that cannot be decoded is replaced by the one before it. Raises MediaFailure.
    """
    for stream in media.container.streams:
        stream.discard = Discard.default if stream.index == media.video.index else Discard.all
    keyframes = keyframe_times(media)
    if keyframes is None:
        yield from nearest_pictures(_passing(media, grid, interval), targets)
    else:
        numbers = sorted({round(at * grid.rate) for at in keyframes})
        yield from _seeking(media, grid, choices(targets, numbers, interval // 2), numbers)


def choices(targets: Iterable[int], keyframes: Sequence[int], reach: int) -> list[Choice]:
    """For each target the nearest keyframe at most `reach` frames away, the earlier of two, or None."""
    chosen, at = [], 0
    for target in targets:
        while at + 1 < len(keyframes) and abs(keyframes[at + 1] - target) < abs(keyframes[at] - target):
            at += 1
        near = bool(keyframes) and abs(keyframes[at] - target) <= reach
        chosen.append(Choice(target, keyframes[at] if near else None))
    return chosen


def nearest_pictures(pictures: Iterator[Picture], targets: Iterable[int]) -> Iterator[Picture]:
    """For each target the nearest of the pictures, the earlier of two; both increase, two pictures are held."""
    waiting = deque(targets)
    best = next(pictures)
    for picture in pictures:
        while waiting and abs(picture.number - waiting[0]) >= abs(best.number - waiting[0]):
            yield best
            waiting.popleft()
        if not waiting:
            return
        best = picture
    yield from (best for _ in waiting)


def _seeking(media: Media, grid: Grid, chosen: list[Choice], keyframes: Sequence[int]) -> Iterator[Picture]:
    last = Picture(0, media.first)
    for is_near, group in groupby(chosen, lambda choice: choice.keyframe is not None):
        if not is_near:
            for last in _exact(media, grid, [choice.target for choice in group]):
                yield last
            continue
        for choice in group:
            last = _at_keyframe(media, grid, keyframes, choice.keyframe or 0) or last
            yield last


def _at_keyframe(media: Media, grid: Grid, keyframes: Sequence[int], number: int) -> Picture | None:
    """The picture of the grid that begins with the keyframe at or near `number`; None if it cannot be decoded."""
    after = bisect_right(keyframes, number)
    following = keyframes[after] if after < len(keyframes) else grid.frame_count
    # The index has decoding times: in the middle of its GOP, a seek cannot miss the keyframe.
    media.seek(Fraction(number + following, 2) / grid.rate)
    found: Picture | None = None
    for picture in _decoded(media, grid, first_alone=not grid.variable):
        if found is not None and picture.number > found.number:
            break
        found = picture
    return found


def _exact(media: Media, grid: Grid, targets: Sequence[int]) -> Iterator[Picture]:
    """The targets themselves, which lie between two keyframes: decoded in one go."""
    wanted = set(targets)
    for picture in read_range(media, Range(targets[0], targets[-1] + 1, grid.rate), with_sound=False):
        if isinstance(picture, Picture) and picture.number in wanted:
            yield picture


def _passing(media: Media, grid: Grid, interval: int) -> Iterator[Picture]:
    """The keyframes of the file, or all of its pictures."""
    distance = gop_ms(media)
    if grid.variable or distance is None or distance * grid.rate > interval * 1000:
        for item in read_range(media, Range(0, grid.frame_count, grid.rate), with_sound=False):
            if isinstance(item, Picture):
                yield item
        return
    context = media.video.codec_context
    context.skip_frame = "NONKEY"
    try:
        media.seek(_BEFORE_START)
        yield from _decoded(media, grid)
    finally:
        context.skip_frame = "DEFAULT"


def _decoded(media: Media, grid: Grid, *, first_alone: bool = False) -> Iterator[Picture]:
    """Pictures from where the container is, or the first one only; what cannot be decoded is left out."""
    for packet in media.container.demux(media.video):
        try:
            frames = packet.decode()
            if first_alone:
                frames += _drained(media)
        except av.InvalidDataError:
            log.debug("a picture at %s cannot be decoded", packet.pts)
            frames = []
        for frame in frames:
            if frame.pts is not None and not frame.is_corrupt:
                number = floor((shown_at(frame) - media.zero) * grid.rate + Fraction(1, 2))
                if 0 <= number < grid.frame_count:
                    yield Picture(number, frame)
        if first_alone:
            return


def _drained(media: Media) -> list[VideoFrame]:
    """What the decoder holds back; until the next seek it takes nothing more."""
    frames = media.video.decode(None)
    for frame in frames:
        frame.time_base = media.video.time_base or Fraction(1, 1000)  # unset where no packet was given
    return frames

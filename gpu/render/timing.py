"""Finds the frame grid of a video: its constant rate, or 30 frames a second where the rate varies, and its length.

A complete index (MP4, MOV, AVI) is used as it is. Elsewhere the start, the end and three places between are read, never
the whole file: a rate that varies for a short while only may go unnoticed.
"""

from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.stream import VideoStream

from gpu.render.errors import MediaFailure
from gpu.render.media import LONGEST_HOURS, Media

VARIABLE_RATE_GRID = Fraction(30)
HIGHEST_RATE = 120
STANDARD_RATES = tuple(
    Fraction(rate) for rate in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "100", "120")
)
_SLACK = 0.4
"""Frames by which a timestamp may miss the constant grid: rounding to the container's ticks, not a varying rate."""
_ROUNDING = 0.12
"""Frames that a better fit must be better by to be believed rather than the container's own word."""
_PICTURES_PER_LOST = 100
"""At least so many for each that got lost, or the rate varies."""
_SAMPLE_PACKETS = 240
_MOST_REORDERED = 16
_TAIL_SECONDS = (2, 20, 120)
_PLACES_BETWEEN = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
"""Of the file's length. The rate varies when it does in two of them: in one, a picture may have got lost."""
_PLACE_PACKETS = 80
_FIELD_SAMPLE_PACKETS = 48
_BEFORE_START = Fraction(1)
_MOST_FRAMES = LONGEST_HOURS * 3600 * HIGHEST_RATE

Seconds = npt.NDArray[np.float64]


class Grid(NamedTuple):
    """Frames at multiples of 1 / rate seconds from the first picture."""

    rate: Fraction
    frame_count: int
    variable: bool


def find_grid(media: Media) -> Grid:
    """Leaves the container at an arbitrary position. Raises MediaFailure `unsupported_media`."""
    indexed = _indexed(media)
    step = 2 if indexed is None and _has_packets_of_fields(media) else 1
    rate = constant_rate(_first_times(media, step) if indexed is None else indexed, _hinted_rates(media.video))
    # The index has decoding times. Where they are even, so are the times of showing, and they last as long.
    if indexed is not None and rate is not None:
        span = float(indexed[-1] - indexed[0])
    else:
        span = _last_time(media) - float(media.zero)
    if indexed is None and rate is not None and _varies_later(media, rate, span, step):
        rate = None
    grid = rate or VARIABLE_RATE_GRID
    if grid > HIGHEST_RATE:
        raise MediaFailure("unsupported_media", f"{float(grid):g} frames a second are more than {HIGHEST_RATE}")
    # The last packet may be a second field, which is shown half a frame after the first.
    frame_count = int(span * float(grid) + 0.5 / step) + 1
    _check_count(frame_count)
    return Grid(grid, frame_count, rate is None)


def constant_rate(times: Seconds, hints: tuple[Fraction, ...] = ()) -> Fraction | None:
    """The rate whose grid all sorted `times` (seconds) meet, hints before others; None when the rate varies.

    A picture lost here and there leaves the rate constant: its frame of the grid repeats the picture before.
    One picture alone has the first hint's rate, or None.
    """
    if times.size < 2:
        return hints[0] if hints else None
    elapsed = times - times[0]
    if elapsed[-1] <= 0:
        return None
    measured = (times.size - 1) / elapsed[-1]
    candidates = [rate for rate in (*hints, *STANDARD_RATES) if abs(float(rate) / measured - 1) < 0.02]
    candidates.append(Fraction(measured).limit_denominator(1001))
    misses = [_largest_miss(elapsed, float(rate)) for rate in candidates]
    enough = min(_SLACK, min(misses) + _ROUNDING)
    fitting = (rate for rate, miss in zip(candidates, misses, strict=True) if miss <= enough)
    return next(fitting, None) or _rate_beside_lost(elapsed, candidates)


def _rate_beside_lost(elapsed: Seconds, candidates: list[Fraction]) -> Fraction | None:
    """The rate that fits best once single lost pictures are counted; the hints are averages, which those bend."""
    misses = [_largest_miss_beside_lost(elapsed, float(rate)) for rate in candidates]
    least = min(misses)
    return candidates[misses.index(least)] if least <= _SLACK else None


def _largest_miss_beside_lost(elapsed: Seconds, rate: float) -> float:
    """In frames from the nearest of the grid; infinite where more than a single picture now and then is missing."""
    places = elapsed * rate
    frames = np.rint(places)
    lost = np.diff(frames) - 1
    is_single = lost.min() >= 0 and lost.max() <= 1 and not (lost[1:] * lost[:-1]).any()
    if not is_single or lost.sum() * _PICTURES_PER_LOST > elapsed.size:
        return np.inf
    return float(np.abs(places - frames).max())


def _largest_miss(elapsed: Seconds, rate: float) -> float:
    return float(np.abs(elapsed * rate - np.arange(elapsed.size)).max())


def _hinted_rates(video: VideoStream) -> tuple[Fraction, ...]:
    return tuple(rate for rate in (video.guessed_rate, video.average_rate) if rate is not None and rate > 0)


def _indexed(media: Media) -> Seconds | None:
    """Decoding times of all pictures from the container's index, or None when it does not list them all.

    Raises MediaFailure when the index points beyond the end of the file.
    """
    entries = media.video.index_entries
    if not 0 < media.video.frames <= len(entries):
        return None
    _check_count(len(entries))
    shown = [entry for entry in entries if not entry.is_discard]
    if not shown:
        return None
    if max(entry.pos + entry.size for entry in shown) > media.file_bytes:
        raise MediaFailure(
            "unsupported_media", "the file is incomplete: its pictures go beyond its end; upload it again"
        )
    return _sorted_seconds([entry.timestamp for entry in shown], media.video)


def _check_count(frames: int) -> None:
    if not 0 < frames <= _MOST_FRAMES:
        raise MediaFailure(
            "unsupported_media", f"the file claims {frames} frames; up to {LONGEST_HOURS} hours can be read, split it"
        )


def _has_packets_of_fields(media: Media) -> bool:
    """Whether both fields of a picture have a packet and a timestamp, as some camcorders write MPEG-TS."""
    if not media.interlaced:
        return False
    media.seek(-_BEFORE_START)
    stamped = pictures = 0
    for packet in media.container.demux(media.video):
        stamped += packet.pts is not None
        pictures += _count_pictures(media.video, packet)
        if stamped == _FIELD_SAMPLE_PACKETS:
            pictures += _count_pictures(media.video, None)
            break
    return 2 * pictures < 1.5 * stamped


def _count_pictures(video: VideoStream, packet: "Packet[VideoStream] | None") -> int:
    """Decoded from the packet; None asks for those that the decoder still holds."""
    try:
        return len(video.codec_context.decode(packet))
    except av.InvalidDataError:
        return 0


def _first_times(media: Media, step: int) -> Seconds:
    return _times_from(media, -_BEFORE_START, _SAMPLE_PACKETS)[::step]


def _varies_later(media: Media, rate: Fraction, span: float, step: int) -> bool:
    """Whether the pictures leave a grid of `rate`, each place counting from its own first picture."""
    if span * float(rate) <= _SAMPLE_PACKETS:
        return False
    places = [_times_from(media, place * Fraction(span), _PLACE_PACKETS) for place in _PLACES_BETWEEN]
    # An MPEG-TS is entered anywhere: among the first are pictures whose neighbours are stored before.
    settled = [times[_MOST_REORDERED::step] for times in places if times.size > _MOST_REORDERED]
    return sum(_largest_miss(times - times[0], float(rate)) > _SLACK for times in settled) > 1


def _times_from(media: Media, start: Fraction, most: int) -> Seconds:
    """Of `most` packets, without the last few: a later picture among them may come after the end."""
    times = _packet_times(media, start, most)
    return times[:-_MOST_REORDERED] if times.size == most else times


def _packet_times(media: Media, start: Fraction, most: int | None = None) -> Seconds:
    """Times at which the pictures from `start` (seconds after the first) on are shown, at most `most` of them."""
    media.seek(start)
    ticks: list[int] = []
    try:
        for packet in media.container.demux(media.video):
            if packet.pts is not None:
                ticks.append(packet.pts)
            if most is not None and len(ticks) >= most:
                break
    except av.FFmpegError as error:
        if not ticks:
            raise MediaFailure("unsupported_media", "the file's pictures cannot be read; it may be damaged") from error
    return _sorted_seconds(ticks, media.video)


def _last_time(media: Media) -> float:
    """Seconds at which the last picture is shown, read from the end of the file."""
    length = Fraction(media.container.duration or 0, av.time_base)
    for start in (*(length - seconds for seconds in _TAIL_SECONDS), -_BEFORE_START):
        times = _packet_times(media, start)
        if times.size:
            return float(times[-1])
    raise MediaFailure("unsupported_media", "the file's end cannot be read; it may be damaged")


def _sorted_seconds(ticks: list[int], video: VideoStream) -> Seconds:
    return np.sort(np.array(ticks, dtype=np.float64)) * float(video.time_base or Fraction(1, 1000))

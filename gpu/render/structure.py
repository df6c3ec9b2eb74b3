"""How a file is laid out: how far its keyframes are apart, and whether its index comes before its pictures.

A complete index (MP4, MOV, AVI) tells all keyframes. Elsewhere only the first pictures are known, which finding the
grid reads too.
"""

from fractions import Fraction
from itertools import pairwise
from typing import cast

from gpu.plan.duration import nearest
from gpu.render.boxes import outer_boxes
from gpu.render.media import Media
from gpu.render.metered import SeekableFile

_SAMPLE_PACKETS = 240
_SAMPLE_BYTES = 16 << 20
"""Less than the blocks that an HTTP source keeps, so that the sample crosses the network once."""
_BEFORE_START = Fraction(-1)


def gop_ms(media: Media) -> int | None:
    """Longest time, to the nearest ms, from one keyframe to the next or to the last picture; None if there is but one.

    Leaves the container at an arbitrary position.
    """
    pictures = _indexed(media) or _sampled(media)
    keyframes = [at for at, is_key in pictures if is_key]
    if len(keyframes) < 2:
        return None
    ticks = max(later - at for at, later in pairwise([*keyframes, max(at for at, _ in pictures)]))
    tick = media.video.time_base or Fraction(1, 1000)
    return nearest(ticks * tick.numerator * 1000, tick.denominator)


def keyframe_times(media: Media) -> list[Fraction] | None:
    """Seconds from the first picture to every keyframe, give or take reordering; None without a complete index."""
    pictures = _indexed(media)
    if pictures is None:
        return None
    tick = media.video.time_base or Fraction(1, 1000)
    start = pictures[0][0]
    return [(at - start) * tick for at, is_key in pictures if is_key]


def has_index_first(media: Media) -> bool:
    """Whether `moov` comes before `mdat` (ISO 14496-12, 4.2); true for containers that are played as they come."""
    if "mp4" not in media.container.format.name.split(","):
        return True
    file = cast(SeekableFile, media.container.file.file)
    position = file.tell()
    try:
        boxes = outer_boxes(file, media.file_bytes)
        kinds = (box.kind for box in boxes if box.kind in (b"moov", b"mdat"))
        return next(kinds, b"") == b"moov"
    finally:
        file.seek(position)


def _indexed(media: Media) -> list[tuple[int, bool]] | None:
    """Decoding time in ticks of every picture that is shown, and whether it is a keyframe."""
    entries = media.video.index_entries
    if not 0 < media.video.frames <= len(entries):
        return None
    return sorted((entry.timestamp, entry.is_keyframe) for entry in entries if not entry.is_discard) or None


def _sampled(media: Media) -> list[tuple[int, bool]]:
    """The same of the first pictures, with the times at which they are shown."""
    media.seek(_BEFORE_START)
    pictures, read = [], 0
    for packet in media.container.demux(media.video):
        if packet.pts is not None:
            pictures.append((packet.pts, packet.is_keyframe))
        read += packet.size
        if len(pictures) >= _SAMPLE_PACKETS or read >= _SAMPLE_BYTES:
            break
    return sorted(pictures)

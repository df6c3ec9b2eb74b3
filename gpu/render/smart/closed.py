"""Finds the first keyframe of a clip at which decoding may start afresh: an IDR picture.

Nothing after an IDR picture is decoded from, or shown before, what comes before it. Other keyframes that containers
list (recovery points of an open GOP) may be followed by pictures that lean on the GOP before.
"""

from bisect import bisect_left
from fractions import Fraction
from math import floor
from typing import NamedTuple

from av.packet import Packet
from av.video.stream import VideoStream

from gpu.render.media import Media
from gpu.render.reader import Range
from gpu.render.smart.nal import IDR, SLICE, NalError, nal_type, split_lengths
from gpu.render.smart.reason import NotCopyable, Reason

_MOST_TRIED = 8
"""Keyframes looked at: one that is open is rarely followed by one that is not, and each costs a read."""
_SLACK = Fraction(2, 5)
"""Frames by which a timestamp may miss the grid, as `timing` allows."""


class Closed(NamedTuple):
    """An IDR picture: the frame that it shows, and its decoding time in the stream's ticks."""

    frame: int
    decoded: int


def first_closed(media: Media, wanted: Range) -> Closed:
    """The first IDR picture in the range; raises NotCopyable. Needs a complete index; moves the container."""
    tried = 0
    for index, frame in _keyframes(media, wanted):
        if tried == _MOST_TRIED:
            break
        tried += 1
        decoded = media.video.index_entries[index].timestamp
        packet = _packet_at(media, frame / wanted.rate, decoded)
        if is_idr(bytes(packet)):
            if frame_of(packet, media.zero, wanted.rate) != frame:
                raise NotCopyable(Reason.TIMESTAMPS)
            return Closed(frame, decoded)
    raise NotCopyable(Reason.OPEN_GOP if tried else Reason.NO_KEYFRAME)


def _packet_at(media: Media, shown: Fraction, decoded: int) -> "Packet[VideoStream]":
    media.seek(shown)
    for packet in media.container.demux(media.video):
        if packet.dts == decoded:
            return packet
        if packet.dts is None or packet.dts > decoded:
            break
    raise NotCopyable(Reason.TIMESTAMPS)


def frame_of(packet: "Packet[VideoStream]", zero: Fraction, rate: Fraction) -> int:
    """The frame of the grid at which a packet's picture is shown; raises NotCopyable for one that misses the grid."""
    if packet.pts is None:
        raise NotCopyable(Reason.TIMESTAMPS)
    place = (packet.pts * packet.time_base - zero) * rate
    frame = floor(place + Fraction(1, 2))
    if abs(place - frame) > _SLACK:
        raise NotCopyable(Reason.TIMESTAMPS)
    return frame


def is_idr(data: bytes) -> bool:
    """Whether the picture is an IDR picture; raises NotCopyable when the packet is no sequence of NAL units."""
    try:
        kinds = {nal_type(unit) for unit in split_lengths(data)} & {SLICE, IDR}
    except NalError as error:
        raise NotCopyable(Reason.DAMAGED) from error
    if len(kinds) != 1:
        raise NotCopyable(Reason.DAMAGED)
    return kinds == {IDR}


def _keyframes(media: Media, wanted: Range) -> list[tuple[int, int]]:
    """Index and frame of what the container lists as keyframes in the range, as if each were an IDR picture.

    All that is decoded before an IDR picture is shown before it too, so its frame is the number of pictures before it.
    """
    entries = media.video.index_entries
    hidden = [number for number, entry in enumerate(entries) if entry.is_discard]
    found = []
    for index in range(wanted.first, min(wanted.end + len(hidden), len(entries))):
        entry = entries[index]
        frame = index - bisect_left(hidden, index)
        if entry.is_keyframe and not entry.is_discard and wanted.first <= frame < wanted.end:
            found.append((index, frame))
    return found

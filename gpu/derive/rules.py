"""Pure rules of the proxies: which game needs one, how large its pictures are and which frames it keeps."""

from fractions import Fraction
from math import ceil

from gpu.derive.facts import ProxyReason
from gpu.plan.geometry import Size, even
from gpu.plan.spec import ProbeInfo

SHORTER_SIDE = 540
HIGHEST_RATE = 60
LONGEST_GOP_MS = 4000
"""A seek decodes up to this much; beyond it, scrubbing the source itself is too slow."""
_PLAYABLE_FORMATS = ("yuv420p", "yuvj420p")


def needs_game_proxy(info: ProbeInfo) -> ProxyReason | None:
    """The first reason why the editor cannot use the game itself, or None.

    Without two keyframes to tell their distance, the length of the file is the distance.
    """
    if info.transfer != "sdr":
        return "hdr"
    if info.video_codec != "h264":
        return "codec"
    if info.pixel_format not in _PLAYABLE_FORMATS:
        return "pixel_format"
    if info.interlaced:
        return "interlaced"
    if info.variable_frame_rate:
        return "variable_frame_rate"
    distance = info.duration_ms if info.gop_ms is None else info.gop_ms
    return "long_gop" if distance > LONGEST_GOP_MS else None


def proxy_size(display: Size) -> Size:
    """The shorter side becomes 540 pixels, the other keeps the ratio to the nearest even number; never enlarged."""
    shorter = min(display)
    if shorter <= SHORTER_SIDE:
        return even(display)
    width, height = ((side * SHORTER_SIDE + shorter) // (2 * shorter) * 2 for side in display)
    return Size(width, height)


def frame_step(rate: Fraction) -> int:
    """Every how many frames of the source the proxy keeps one: the least that brings it to 60 a second or below."""
    return ceil(rate / HIGHEST_RATE)

"""Which game needs a proxy, how large its pictures are, which frames it keeps."""

from fractions import Fraction

import pytest

from gpu.derive.facts import ProxyReason
from gpu.derive.rules import frame_step, needs_game_proxy, proxy_size
from gpu.plan.geometry import Size
from gpu.plan.spec import ProbeInfo

PLAIN = ProbeInfo(
    width=1920,
    height=1080,
    rotation=0,
    fps_num=30,
    fps_den=1,
    frame_count=162_000,
    duration_ms=5_400_000,
    video_codec="h264",
    pixel_format="yuv420p",
    gop_ms=2000,
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"pixel_format": "yuvj420p"}, None),
        ({"rotation": 90, "index_first": False, "audio_codec": None}, None),
        ({"gop_ms": 4000}, None),
        ({"gop_ms": 4001}, "long_gop"),
        ({"gop_ms": None}, "long_gop"),
        ({"gop_ms": None, "duration_ms": 4000}, None),
        ({"gop_ms": None, "duration_ms": 4001}, "long_gop"),
        ({"video_codec": "hevc"}, "codec"),
        ({"video_codec": "vp9"}, "codec"),
        ({"pixel_format": "yuv420p10le"}, "pixel_format"),
        ({"pixel_format": "yuv422p"}, "pixel_format"),
        ({"variable_frame_rate": True}, "variable_frame_rate"),
        ({"interlaced": True}, "interlaced"),
        ({"transfer": "hlg"}, "hdr"),
        ({"transfer": "pq", "video_codec": "hevc", "gop_ms": None}, "hdr"),
    ],
)
def test_a_game_needs_a_proxy_if_a_browser_cannot_play_or_seek_it(
    change: dict[str, object], reason: ProxyReason | None
) -> None:
    assert needs_game_proxy(PLAIN.model_copy(update=change)) == reason


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ((1920, 1080), (960, 540)),
        ((3840, 2160), (960, 540)),
        ((1080, 1920), (540, 960)),
        ((1440, 1080), (720, 540)),
        ((1920, 804), (1290, 540)),
        ((1000, 1000), (540, 540)),
        ((961, 541), (960, 540)),
        ((854, 480), (854, 480)),
        ((321, 181), (320, 180)),
    ],
)
def test_the_shorter_side_becomes_540_and_nothing_is_enlarged(
    display: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert proxy_size(Size(*display)) == expected


@pytest.mark.parametrize(
    ("rate", "step"), [("24000/1001", 1), ("30", 1), ("60000/1001", 1), ("60", 1), ("61", 2), ("100", 2), ("120", 2)]
)
def test_rates_above_60_keep_every_other_frame(rate: str, step: int) -> None:
    assert frame_step(Fraction(rate)) == step

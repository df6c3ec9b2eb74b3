"""Which packets are copied, told from their order of showing alone."""

from fractions import Fraction
from typing import cast

import av
import pytest
from av.packet import Packet
from av.video.stream import VideoStream

from gpu.render.smart.middle import Run
from gpu.render.smart.nal import with_lengths
from gpu.render.smart.parameters import ParameterSets
from gpu.render.smart.reason import NotCopyable, Reason

FIRST = 100
SPS, PPS, SEI, IDR, SLICE, FILLER = b"\x67sps", b"\x68pps", b"\x06sei", b"\x65idr", b"\x41slice", b"\x0cfill"
ZERO = Fraction(1, 7)


def packet(frame: Fraction | int, *units: bytes) -> "Packet[VideoStream]":
    made = cast("Packet[VideoStream]", av.Packet(with_lengths(units or (SLICE,))))
    made.time_base = Fraction(1, 2100)
    made.pts = round((frame / Fraction(30) + ZERO) * 2100)
    return made


def run(end: int) -> Run:
    started = Run(FIRST, end, ZERO, Fraction(30), ParameterSets((SPS,), (PPS,)))
    started.take(packet(FIRST, SPS, PPS, SEI, IDR))
    return started


@pytest.mark.parametrize(
    ("order", "count"),
    [
        ([1, 2, 3, 4], 5),
        ([3, 1, 2, 4], 5),
        ([4, 2, 1, 3], 5),
        ([4, 2, 1, 7], 1),
        ([2, 6, 1, 4], 1),
        ([1, 4, 2, 5], 2),
        ([2, 1, 5, 3], 3),
    ],
)
def test_it_ends_where_the_pictures_so_far_show_every_frame(order: list[int], count: int) -> None:
    chosen = run(FIRST + 5)
    for frame in order:
        assert not chosen.done
        chosen.take(packet(FIRST + frame))
    assert chosen.done
    assert (chosen.usable, chosen.copied_end) == (count, FIRST + count)


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ((SEI,), Reason.DAMAGED),
        ((SLICE, IDR), Reason.DAMAGED),
        ((SLICE, b"\x02part"), Reason.DAMAGED),
        ((b"\x67other", SLICE), Reason.PARAMETER_SETS),
        ((b"\x68other", SLICE), Reason.PARAMETER_SETS),
    ],
)
def test_packets_that_are_no_plain_picture_are_refused(units: tuple[bytes, ...], reason: Reason) -> None:
    with pytest.raises(NotCopyable) as error:
        run(FIRST + 9).take(packet(FIRST + 1, *units))
    assert error.value.reason == reason


def test_what_only_stands_beside_a_picture_is_copied_with_it() -> None:
    copied = run(FIRST + 9).take(packet(FIRST + 1, SPS, PPS, SEI, IDR, FILLER))
    assert (copied.data, copied.frame, copied.is_idr) == (
        with_lengths([SPS, PPS, SEI, IDR, FILLER]),
        FIRST + 1,
        True,
    )


@pytest.mark.parametrize("frame", [FIRST, FIRST - 1, FIRST + 40, FIRST + Fraction(3, 2)])
def test_pictures_out_of_place_are_refused(frame: Fraction | int) -> None:
    with pytest.raises(NotCopyable) as error:
        run(FIRST + 90).take(packet(frame))
    assert error.value.reason == Reason.TIMESTAMPS


def test_a_picture_without_a_time_is_refused() -> None:
    without = packet(FIRST + 1)
    without.pts = None
    with pytest.raises(NotCopyable) as error:
        run(FIRST + 9).take(without)
    assert error.value.reason == Reason.TIMESTAMPS


def test_it_begins_with_an_idr_picture() -> None:
    with pytest.raises(NotCopyable) as error:
        Run(FIRST, FIRST + 9, ZERO, Fraction(30), ParameterSets((SPS,), (PPS,))).take(packet(FIRST))
    assert error.value.reason == Reason.OPEN_GOP

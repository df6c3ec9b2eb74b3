"""Opacities and ramps of the picker's three transitions, worked out by hand."""

import pytest

from gpu.plan.spec import Transition
from gpu.plan.transition import Ramp, opacities, ramps


def test_a_cut_changes_nothing() -> None:
    assert ramps(Transition(), 2) == [Ramp(0, 0, False)] * 2
    assert opacities(3, Ramp(0, 0, False)) == [1.0] * 3


def test_a_dissolve_raises_the_incoming_clip_and_leaves_the_outgoing_whole() -> None:
    first, middle, last = ramps(Transition(kind="dissolve", frames=3), 3)
    assert opacities(5, first) == [1.0] * 5
    assert opacities(7, middle) == opacities(7, last) == [0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert (first.fade_in, first.fade_out, last.fade_out) == (0, 3, 0)


@pytest.mark.parametrize(
    ("frames", "out", "into"), [(4, [2 / 3, 1 / 3], [1 / 3, 2 / 3]), (3, [1 / 2], [1 / 3, 2 / 3]), (1, [], [1 / 2])]
)
def test_a_fade_goes_down_with_the_first_half_and_up_with_the_rest(
    frames: int, out: list[float], into: list[float]
) -> None:
    first, last = ramps(Transition(kind="fade", frames=frames), 2)
    assert opacities(6, first) == [1.0] * (6 - len(out)) + out
    assert opacities(6, last) == into + [1.0] * (6 - len(into))


def test_a_fade_that_takes_the_whole_clip_goes_up_and_down() -> None:
    assert opacities(4, Ramp(2, 2, False)) == [1 / 3, 2 / 3, 2 / 3, 1 / 3]

"""Transitions as opacity: a clip is laid over the one before it, or over black, more and more or less and less.

A dissolve raises the incoming clip over the outgoing one, which stays whole. A fade lowers the outgoing clip over
black and raises the incoming one. Steps are equal, and neither end of a ramp is drawn: n frames step by 1 / (n + 1).
"""

from typing import NamedTuple

from gpu.plan.spec import Transition


class Ramp(NamedTuple):
    """Frames at a clip's start and end over which its opacity and its sound change.

    `dissolves` says that only the sound falls at the end, under the next clip's picture.
    """

    fade_in: int
    fade_out: int
    dissolves: bool


def ramps(transition: Transition, clip_count: int) -> list[Ramp]:
    """One for each clip; the first has nothing to come from and the last nothing to go to."""
    dissolves = transition.kind == "dissolve"
    out = transition.frames if dissolves else transition.frames // 2
    into = transition.frames if dissolves else transition.frames - out
    return [Ramp(into if index else 0, out if index < clip_count - 1 else 0, dissolves) for index in range(clip_count)]


def opacities(count: int, ramp: Ramp) -> list[float]:
    """One for each of a clip's `count` frames."""
    fade_out = 0 if ramp.dissolves else ramp.fade_out
    return [min(1.0, (index + 1) / (ramp.fade_in + 1), (count - index) / (fade_out + 1)) for index in range(count)]

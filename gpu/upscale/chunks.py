"""Cuts an output into chunks that are made alone, several at once where there are machines. Pure arithmetic.

Chunks begin on multiples of the keyframe distance: each can be encoded alone and the results joined without loss. The
cut follows from the number of frames and their rate alone, so the same request gives the same bytes wherever it runs.
"""

from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import NamedTuple

CHUNK_SECONDS = 20
"""Of output in one chunk, about: 40 s of work at 15 frames a second, twice what a container with a network takes to
start, and all that is lost with it."""


class Chunk(NamedTuple):
    """Frames [in_frame, out_frame) of the output."""

    in_frame: int
    out_frame: int


def plan_chunks(frame_count: int, keyframe_every: int, most: int) -> tuple[Chunk, ...]:
    """At most `most` chunks that differ by one keyframe distance at most, apart from the last one's rest.

    Raises ValueError for counts below 1.
    """
    if min(frame_count, keyframe_every, most) < 1:
        raise ValueError(
            f"{frame_count} frames in {most} chunks with keyframes every {keyframe_every} cannot be planned"
        )
    groups = -(-frame_count // keyframe_every)
    count = min(most, groups)
    edges = [min(groups * number // count * keyframe_every, frame_count) for number in range(count + 1)]
    return tuple(Chunk(*edge) for edge in pairwise(edges))


def cut(frame_count: int, rate: Fraction, keyframe_seconds: Fraction | int) -> tuple[Chunk, ...]:
    """The chunks of `frame_count` frames at `rate`, of about `CHUNK_SECONDS` each. Raises ValueError as above."""
    return plan_chunks(frame_count, max(1, round(keyframe_seconds * rate)), ceil(frame_count / (CHUNK_SECONDS * rate)))

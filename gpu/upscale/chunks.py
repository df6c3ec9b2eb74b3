"""Cuts an output into chunks that several containers make at once. Pure arithmetic.

Chunks begin on multiples of the keyframe distance: each can be encoded alone and the results joined without loss.
"""

from itertools import pairwise
from typing import NamedTuple


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

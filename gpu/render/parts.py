"""Splits a render into parts that are encoded apart and joined without loss.

The split follows from the plan alone, never from the machine, so that every machine writes the same bytes.
"""

from math import ceil

from gpu.plan.render_plan import RenderPlan

MOST_PARTS = 4
SHORTEST_SECONDS = 2
"""Of a part: each one decodes from the keyframe before it, and its encoder begins without a past."""


_LOWEST_USUAL_RATE = 24
MOST_PIXELS_AT_ONCE = 4 * 1920 * 1080
"""Of the pictures of all parts that are encoded at the same time: a part takes some 100 bytes of memory for each."""


def parts_at_once(plan: RenderPlan, cores: int) -> int:
    """How many parts may be encoded side by side: one a core, fewer for large pictures."""
    largest = max(size.width * size.height for size in (plan.size, *(source.size for source in plan.sources)))
    return max(1, min(cores, MOST_PIXELS_AT_ONCE // largest))


def may_have_parts(frame_count: int) -> bool:
    """Whether so many frames may be split, at whatever rate."""
    return frame_count >= 2 * SHORTEST_SECONDS * _LOWEST_USUAL_RATE


def parts(plan: RenderPlan) -> list[range]:
    """Ranges of output frames that follow each other, of almost equal length."""
    most = min(MOST_PARTS, int(plan.frame_count / (SHORTEST_SECONDS * plan.rate)))
    length = ceil(plan.frame_count / max(1, most))
    return [range(start, min(start + length, plan.frame_count)) for start in range(0, plan.frame_count, length)]

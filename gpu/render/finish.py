"""The last step of every engine: parts of pictures become one file, with the sound that the reference engine mixes."""

from collections.abc import Sequence
from pathlib import Path

from gpu.plan.render_plan import RenderPlan
from gpu.render.join import Part, join
from gpu.render.mixer import mixed
from gpu.render.overlap import overlapped
from gpu.render.shelf import Shelf
from gpu.render.sources import Sources

_BLOCKS_AHEAD = 8


def finish(plan: RenderPlan, sources: Sources, pieces: Sequence[Part], path: Path) -> None:
    """Writes `path`; an exception leaves a part of a file there. Raises MediaFailure."""
    if plan.sample_count is None:
        join(pieces, plan.rate, None, path)
        return
    with Shelf(sources) as shelf, overlapped(mixed(plan, shelf), _BLOCKS_AHEAD, shelf.abort) as sound:
        join(pieces, plan.rate, sound, path)

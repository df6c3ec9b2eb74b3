"""What every engine has in common: the reference engine's sound, made beside the pictures and joined with them."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gpu.plan.render_plan import RenderPlan
from gpu.render.join import Part, join
from gpu.render.mixer import mixed
from gpu.render.overlap import ANY_NUMBER, overlapped
from gpu.render.shelf import Shelf
from gpu.render.sound_part import written_sound
from gpu.render.sources import Sources

Finish = Callable[[Sequence[Part]], None]


@contextmanager
def finishing(plan: RenderPlan, sources: Sources, path: Path) -> Iterator[Finish]:
    """Makes the sound in a thread while the caller makes the pictures; with their parts it is called what this yields.

    That writes `path`. An exception leaves a part of a file there. Raises MediaFailure.
    """
    if plan.sample_count is None:
        yield lambda parts: join(parts, plan.rate, None, path)
        return
    shelf, file = Shelf(sources), path.with_name(f"{path.stem}.sound")
    try:
        with overlapped(_written(plan, shelf, file), ANY_NUMBER, shelf.abort) as samples:

            def finish(parts: Sequence[Part]) -> None:
                deque(samples, maxlen=0)
                join(parts, plan.rate, file, path)

            yield finish
    finally:
        file.unlink(missing_ok=True)


def _written(plan: RenderPlan, shelf: Shelf, path: Path) -> Generator[int]:
    with shelf, closing(mixed(plan, shelf)) as sound:
        yield from written_sound(sound, path)

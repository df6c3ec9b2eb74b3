"""Two processes with a lossless join against one, on the framing of a 1080p clip."""

import statistics
from collections.abc import Iterator

from bench.figure import Figure
from bench.render.framing import spec
from bench.render.match import FRAMES, in_turn, recording
from gpu.plan import compile_plan
from gpu.render import engine
from gpu.render.produce import probe_file
from gpu.render.sources import LocalSources

RUNS = 3
LEAST_GAIN = 1.25


def figures() -> Iterator[Figure]:
    """Frames a second; medians of runs in turn."""
    with recording() as clip:
        with clip.open("rb") as file:
            plan = compile_plan(spec(FRAMES), probe_file(file))
        out = clip.with_name("out.mp4")

        def run(processes: int) -> None:
            engine.render(plan, LocalSources([clip]), out, lambda done: None, processes)

        two, one = (FRAMES / statistics.median(each) for each in in_turn(RUNS, lambda: run(2), lambda: run(1)))
    yield Figure("framing in two processes against one", two, "fps", one, limit=LEAST_GAIN, at_most=False)


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())

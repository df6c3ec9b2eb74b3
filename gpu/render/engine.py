"""The reference engine: PyAV decodes and encodes, OpenCV warps. It draws the plan and decides nothing itself.

Parts are encoded side by side in processes, and the sound beside them.
"""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from gpu.plan.render_plan import RenderPlan
from gpu.render.crew import Crew, Job, available_cores
from gpu.render.encode import encode_part
from gpu.render.finish import finishing
from gpu.render.join import Part
from gpu.render.parts import parts, parts_at_once
from gpu.render.sources import Sources

ENGINE = "pyav-3"
"""Name of the engine and of its version; another version may write other bytes for the same plan."""


def render(
    plan: RenderPlan,
    sources: Sources,
    path: Path,
    on_frame: Callable[[int], None],
    cores: int | None = None,
    crew: Crew | None = None,
) -> None:
    """Writes the result to `path`, and what it needs on the way beside it; `on_frame` gets the frames written so far.

    A `crew` that was called already saves the time of its start; it is the caller's to end. An exception, the caller's
    own included, leaves a part of a file at `path`. Raises MediaFailure.
    """
    ranges = parts(plan)
    files = [path.with_name(f"{path.stem}.{number}.part") for number in range(len(ranges))]
    try:
        with finishing(plan, sources, path) as finish:
            if len(ranges) == 1:
                encode_part(plan, ranges[0], sources, files[0], on_frame)
            else:
                tasks = list(zip(ranges, files, strict=True))
                job = Job(plan, tasks, sources, parts_at_once(plan, cores or available_cores()))
                with nullcontext(crew) if crew else Crew() as workers:
                    workers.encode(job, on_frame)
            finish([Part(file, frames.start) for file, frames in zip(files, ranges, strict=True)])
    finally:
        for file in files:
            file.unlink(missing_ok=True)

"""Renders with the chosen engine, and with the reference engine when that one gives up half-way."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gpu.plan.render_plan import RenderPlan
from gpu.render import engine as reference
from gpu.render.crew import Crew
from gpu.render.engines import ffmpeg, nvdec
from gpu.render.engines.choose import EngineName, Environment, Wanted, choose
from gpu.render.engines.unable import EngineUnable
from gpu.render.sources import Sources

log = logging.getLogger(__name__)
OnFrame = Callable[[int], None]


class Made(NamedTuple):
    """Name and version of the engine that made the file, and a sentence that says why it was that one."""

    engine: str
    reason: str


def render(
    plan: RenderPlan,
    sources: Sources,
    path: Path,
    on_frame: OnFrame,
    *,
    wanted: Wanted = "auto",
    environment: Environment | None = None,
    crew: Crew | None = None,
) -> Made:
    """Writes the result to `path`; `on_frame` gets the frames written so far, which never decrease.

    An exception, the caller's own included, leaves a part of a file at `path`. Raises MediaFailure.
    """
    machine = environment or Environment()
    choice = choose(plan, sources, wanted, machine)
    rising = _rising(on_frame)
    try:
        return Made(_run(choice.engine, plan, sources, path, rising, machine, crew), choice.reason)
    except EngineUnable as unable:
        log.warning("%s gave up: %s", choice.engine, unable)
        reason = f"Made by pyav; {choice.engine} gave up: {unable}."
    return Made(_run("pyav", plan, sources, path, rising, machine, crew), reason)


def _run(
    name: EngineName,
    plan: RenderPlan,
    sources: Sources,
    path: Path,
    on_frame: OnFrame,
    machine: Environment,
    crew: Crew | None,
) -> str:
    if name == "pyav":
        reference.render(plan, sources, path, on_frame, crew=crew)
        return reference.ENGINE
    if name == "ffmpeg":
        ffmpeg.render(plan, sources, path, on_frame, machine.program())
        return ffmpeg.ENGINE
    nvdec.render(plan, sources, path, on_frame, nvdec.Machine.of(machine.gpu()))
    return nvdec.ENGINE


def _rising(on_frame: OnFrame) -> OnFrame:
    """Passes on what is more than before: an engine that starts again counts from 1."""
    reached = 0

    def written(frames: int) -> None:
        nonlocal reached
        if frames > reached:
            reached = frames
            on_frame(frames)

    return written

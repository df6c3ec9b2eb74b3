"""Which engine makes a plan on this machine, and why, as a sentence for the result.

A GPU is taken where there is one, else pyav; ffmpeg, which saves no CPU and writes other bytes, only when asked for.
Looking is cheap, a GPU apart, which is tried once a process. An engine may still give up on a file; then `dispatch`
takes the reference engine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from gpu.plan.render_plan import RenderPlan
from gpu.render.engines import ffmpeg
from gpu.render.engines.ffmpeg_command import obstacle
from gpu.render.engines.ffmpeg_program import find_program
from gpu.render.engines.gpu_probe import Gpu, this_gpu
from gpu.render.engines.unable import EngineUnable
from gpu.render.sources import Sources

EngineName = Literal["pyav", "nvdec", "ffmpeg"]
Wanted = EngineName | Literal["auto"]


class Choice(NamedTuple):
    """`reason` is a sentence."""

    engine: EngineName
    reason: str


@dataclass(frozen=True)
class Environment:
    """What this machine has. Each function raises EngineUnable with what is missing; tests bring their own."""

    gpu: Callable[[], Gpu] = this_gpu
    program: Callable[[], Path] = find_program


def choose(
    plan: RenderPlan, sources: Sources, wanted: Wanted = "auto", environment: Environment | None = None
) -> Choice:
    """The reference engine when no other can, or `wanted` cannot; never raises EngineUnable."""
    if wanted == "pyav":
        return Choice("pyav", "Made by pyav, which was asked for.")
    missing = []
    for engine, look in _looks(plan, sources, environment or Environment()):
        if wanted == engine or (wanted == "auto" and engine == "nvdec"):
            try:
                return Choice(engine, f"Made by {engine}: {look()}.")
            except EngineUnable as reason:
                missing.append(f"not by {engine}: {reason}")
    return Choice("pyav", f"Made by pyav; {'; '.join(missing)}.")


def _looks(
    plan: RenderPlan, sources: Sources, environment: Environment
) -> Iterator[tuple[EngineName, Callable[[], str]]]:
    """Engines beside the reference; each function says why it is taken or raises EngineUnable."""
    yield "nvdec", lambda: _gpu_words(environment.gpu())
    yield "ffmpeg", lambda: _program_words(plan, sources, environment)


def _gpu_words(gpu: Gpu) -> str:
    return f"decoded on {gpu.name}, {gpu.encoder_reason}"


def _program_words(plan: RenderPlan, sources: Sources, environment: Environment) -> str:
    if (reason := obstacle(plan)) is not None:
        raise EngineUnable(reason)
    environment.program()
    if (reason := ffmpeg.can_render(plan, sources)) is not None:
        raise EngineUnable(reason)
    return "a plain cut of a local file"

"""Encodes the parts of a plan in processes side by side, and ends them all when one fails or the caller does.

They are forked, for a process that never had a decoder: one forked from a process with decoders inherits them without
their threads, and hangs when it frees one. `crew` is such a process. A part's process ends with its parent.
"""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from gpu.plan.render_plan import RenderPlan
from gpu.render.encode import encode_part
from gpu.render.mortal import die_with_parent
from gpu.render.sources import Sources

Task = tuple[range, Path]
_CONTEXT = multiprocessing.get_context("fork")


def encode_parts(
    plan: RenderPlan, tasks: Sequence[Task], sources: Sources, on_frame: Callable[[int], None], processes: int
) -> None:
    """Encodes each range into its path, at most `processes` at a time; `on_frame` gets the frames written in all.

    Raises what a part raised, and ChildProcessError when a process ends without a word.
    """
    waiting, running = list(tasks), dict[Connection, _Part]()
    written = dict[Path, int]()
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                part = _Part(plan, waiting.pop(0), sources)
                running[part.news] = part
            for news in wait(list(running)):
                part = running[news]  # type: ignore[index]
                if (count := part.take()) is None:
                    del running[part.news]
                else:
                    written[part.path] = count
                    on_frame(sum(written.values()))
    finally:
        for part in running.values():
            part.end()


class _Part:
    """A process that encodes one range, and what it says."""

    def __init__(self, plan: RenderPlan, task: Task, sources: Sources) -> None:
        frames, self.path = task
        self.news, voice = _CONTEXT.Pipe(duplex=False)
        self._process: ForkProcess = _CONTEXT.Process(
            target=_run, args=(os.getpid(), voice, self.news, plan, frames, sources, self.path), daemon=True
        )
        self._process.start()
        voice.close()

    def take(self) -> int | None:
        """Frames written so far, or None when the part is complete; raises what the process raised."""
        try:
            said = self.news.recv()
        except EOFError:
            self.end()
            raise ChildProcessError(f"the encoder's process ended with {self._process.exitcode}") from None
        if isinstance(said, int):
            return said
        self._process.join()
        self.news.close()
        if isinstance(said, BaseException):
            raise said
        return None

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.news.close()


def _run(
    parent: int,
    voice: Connection,
    parents: Connection,
    plan: RenderPlan,
    frames: range,
    sources: Sources,
    path: Path,
) -> None:
    parents.close()  # so that speaking fails once the parent is gone
    die_with_parent(parent)
    said: BaseException | None = None
    with suppress(BrokenPipeError):
        try:
            encode_part(plan, frames, sources, path, voice.send)
        except BrokenPipeError:
            raise
        except Exception as error:
            said = error
        voice.send(said)

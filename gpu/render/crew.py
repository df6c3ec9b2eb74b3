"""Runs `workers` in a process of its own that has the libraries loaded and nothing open.

`python -m gpu.render.crew PARENT` ends with the process PARENT. It takes one pickled job on stdin and gives pickled
news on stdout: numbers of frames, and None or an exception last.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Self

from gpu.plan.render_plan import RenderPlan
from gpu.render.mortal import die_with_parent
from gpu.render.sources import Sources
from gpu.render.workers import Task, encode_parts


class Job(NamedTuple):
    """What to encode, and in how many processes at a time."""

    plan: RenderPlan
    tasks: Sequence[Task]
    sources: Sources
    processes: int


def available_cores() -> int:
    """Those that this process may use, where the system tells; else all of the machine's."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


class Crew:
    """A process that encodes one job. It is started by `call`, before there is a job if one is expected.

    A context: leaving it ends the process and all that it started.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with self._process as process:
                process.kill()

    def call(self) -> None:
        """Returns at once; the process loads its libraries meanwhile."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", "gpu.render.crew", str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def encode(self, job: Job, on_frame: Callable[[int], None]) -> None:
        """Encodes the job's parts into their files; `on_frame` gets the frames written in all.

        Raises what a part raised, and ChildProcessError when a process ends without a word.
        """
        if self._process is None:
            self.call()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise TypeError("the crew's process has no pipes")
        try:
            pickle.dump(job, process.stdin)
            process.stdin.close()
            while isinstance(said := pickle.load(process.stdout), int):  # noqa: S301 -- from our own process
                on_frame(said)
        except (BrokenPipeError, EOFError):
            raise ChildProcessError(f"the encoder's process ended with {process.wait()}") from None
        if isinstance(said, BaseException):
            raise said


def main() -> None:
    die_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the process that asked decides
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 -- from the process that started this one
    said: BaseException | None = None
    with suppress(BrokenPipeError):
        try:
            encode_parts(job.plan, job.tasks, job.sources, _say, job.processes)
        except BrokenPipeError:
            raise
        except Exception as error:
            said = error
        _say(said)


def _say(news: object) -> None:
    pickle.dump(news, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

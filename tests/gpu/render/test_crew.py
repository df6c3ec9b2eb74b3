"""Parts in processes: what goes wrong in one comes out here, and no process is left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from gpu.plan import RenderPlan
from gpu.plan.spec import EditSpec
from gpu.render import crew
from gpu.render.errors import MediaFailure
from gpu.render.parts import parts
from gpu.render.sources import HttpSources, LocalSources, SourceFile, Sources
from tests.gpu.render.rendering import plan_of
from tests.gpu.render.storage import Storage
from tests.gpu.render.waiting import PATIENCE_SECONDS, left_of, until


@pytest.fixture
def plan(match: Path) -> RenderPlan:
    """Of two parts."""
    return plan_of(match, EditSpec.of_clip(0, 120))


@pytest.fixture
def strangers() -> set[psutil.Process]:
    """What other tests of this process still have running."""
    return set(psutil.Process().children(recursive=True))


class Refusing(LocalSources):
    """Cannot be opened."""

    def open(self, index: int) -> SourceFile:
        raise MediaFailure("source_unreachable", f"source {index} is gone")


class OutOfMemory(LocalSources):
    def open(self, index: int) -> SourceFile:
        raise MemoryError


class HalfStalling(LocalSources):
    """A storage that answers one part alone: the crew and the other part are there whenever somebody looks."""

    def __init__(self, paths: Sequence[Path], answered: Path) -> None:
        super().__init__(paths)
        self._answered = answered

    def open(self, index: int) -> SourceFile:
        try:
            self._answered.mkdir()
        except FileExistsError:
            signal.pause()
        return super().open(index)


class Dying(LocalSources):
    """Its process is killed, as by a machine without memory."""

    def open(self, index: int) -> SourceFile:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def encode(plan: RenderPlan, sources: Sources, folder: Path, on_frame: Callable[[int], None]) -> None:
    tasks = [(frames, folder / f"{frames.start}.part") for frames in parts(plan)]
    assert len(tasks) == 2
    with crew.Crew() as workers:
        workers.encode(crew.Job(plan, tasks, sources, 2), on_frame)


def test_a_failure_of_the_media_keeps_its_code_and_message(plan: RenderPlan, tmp_path: Path) -> None:
    with pytest.raises(MediaFailure, match="source 0 is gone") as refused:
        encode(plan, Refusing([]), tmp_path, lambda done: None)
    assert refused.value.code == "source_unreachable"


def test_want_of_memory_stays_what_it_is(plan: RenderPlan, tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        encode(plan, OutOfMemory([]), tmp_path, lambda done: None)


def test_a_killed_part_is_an_error(plan: RenderPlan, tmp_path: Path) -> None:
    with pytest.raises(ChildProcessError, match="ended with -9"):
        encode(plan, Dying([]), tmp_path, lambda done: None)


def test_no_process_outlives_an_exception_of_the_caller(
    plan: RenderPlan, match: Path, tmp_path: Path, strangers: set[psutil.Process]
) -> None:
    seen: list[psutil.Process] = []

    def stop(done: int) -> None:
        seen.extend(set(psutil.Process().children(recursive=True)) - strangers)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(plan, HalfStalling([match], tmp_path / "answered"), tmp_path, stop)
    assert len(seen) >= 2
    assert left_of(seen) == []


def test_parts_end_when_their_parent_is_killed(match: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from gpu.render import crew
        from gpu.plan.spec import EditSpec
        from tests.gpu.render.rendering import plan_of
        from tests.gpu.render.test_crew import HalfStalling
        match, folder = map(Path, sys.argv[1:])
        tasks = [(range(0, 60), folder / "a.part"), (range(60, 120), folder / "b.part")]
        plan = plan_of(match, EditSpec.of_clip(0, 120))
        sources = HalfStalling([match], folder / "answered")
        with crew.Crew() as workers:
            workers.encode(crew.Job(plan, tasks, sources, 2), lambda done: print(done, flush=True))
        """
    )
    command = [sys.executable, "-c", script, str(match), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"1\n"
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert len(family) >= 2
    assert left_of(family) == []


class Stalling(LocalSources):
    """A storage that never answers."""

    def open(self, index: int) -> SourceFile:
        os.close(2)  # seen from outside: the process is here
        signal.pause()
        raise AssertionError


def test_parts_that_wait_for_the_storage_end_with_the_caller(
    plan: RenderPlan, tmp_path: Path, strangers: set[psutil.Process]
) -> None:
    """They say nothing, so they would never notice that nobody listens."""
    tasks = [(frames, tmp_path / f"{frames.start}.part") for frames in parts(plan)]
    with crew.Crew() as workers:
        waiting = threading.Thread(
            target=suppressed, args=(workers.encode, crew.Job(plan, tasks, Stalling([]), 2), lambda done: None)
        )
        waiting.start()
        family = until(lambda: stalled_children(2, strangers), "the parts did not begin to read")
    waiting.join(PATIENCE_SECONDS)
    assert left_of(family) == []
    assert not waiting.is_alive()


def suppressed(work: Callable[..., None], *arguments: object) -> None:
    with suppress(ChildProcessError, ValueError, OSError):
        work(*arguments)


def stalled_children(count: int, strangers: set[psutil.Process]) -> list[psutil.Process] | None:
    """The processes of this one, once `count` of them have reached the storage."""
    family = list(set(psutil.Process().children(recursive=True)) - strangers)
    return family if sum(_has_no_error_stream(one) for one in family) == count else None


def _has_no_error_stream(process: psutil.Process) -> bool:
    try:
        return not Path(f"/proc/{process.pid}/fd/2").exists()
    except PermissionError:
        return False


def test_a_crew_that_is_not_needed_is_sent_home(strangers: set[psutil.Process]) -> None:
    with crew.Crew() as workers:
        workers.call()
        family = list(set(psutil.Process().children()) - strangers)
        assert len(family) == 1
    assert left_of(family) == []


def test_parts_read_over_http(plan: RenderPlan, match: Path, storage: Storage, tmp_path: Path) -> None:
    storage.objects["match.mp4"] = match.read_bytes()
    encode(plan, HttpSources([storage.url("match.mp4")]), tmp_path, lambda done: None)
    over_http = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    encode(plan, LocalSources([match]), tmp_path, lambda done: None)
    assert over_http == [path.read_bytes() for path in sorted(tmp_path.iterdir())]

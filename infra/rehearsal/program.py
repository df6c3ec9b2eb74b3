"""Runs a Pulumi Python program against a deployment, as `pulumi-language-python-exec` runs it against the engine."""

import asyncio
import contextlib
import contextvars
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pulumi import RunError, runtime

from infra.rehearsal.deployment import Deployment
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.monitor import Engine, Monitor
from infra.rehearsal.stack_config import StackConfig

ORGANIZATION = "organization"
CALLERS = 64
"""Threads from which the SDK calls; one waits in each registration under way. Limits nothing else."""

Program = Path | Callable[[], None]


@dataclass(frozen=True)
class ProgramError:
    """What a program died of, as `pulumi` would print it."""

    message: str


def run_program(program: Program, deployment: Deployment, config: StackConfig, root: Path) -> ProgramError | None:
    """Registers all that the program declares. A folder is run as `__main__` with itself as current folder.

    Runs in a context of its own: the SDK keeps its settings in context variables.
    """
    return contextvars.Context().run(_run, program, deployment, config, root)


def _run(program: Program, deployment: Deployment, config: StackConfig, root: Path) -> ProgramError | None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # As pulumi does: a failed program leaves futures unread.
    try:
        with _in_folder(program):
            asyncio.run(_in_stack(program, deployment, config, root))
    except BaseException as error:
        if deployment.carrier.halt.nothing_new and (_halted(error) or isinstance(error, KeyboardInterrupt)):
            return None
        return ProgramError(_described(error))
    return None


async def _in_stack(program: Program, deployment: Deployment, config: StackConfig, root: Path) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CALLERS))
    runtime.configure(
        runtime.Settings(
            project=deployment.project,
            stack=deployment.stack,
            monitor=Monitor(deployment),
            engine=Engine(deployment),
            dry_run=deployment.carrier.preview,
            organization=ORGANIZATION,
            root_directory=str(root),
        )
    )
    runtime.set_all_config(config.values, sorted(config.secret_keys))
    await runtime.run_in_stack(lambda: _call(program))


def _call(program: Program) -> None:
    if isinstance(program, Path):
        # The file and not the folder: a folder's bytecode is taken for fresh if it was edited within the same second.
        runpy.run_path(str(program / "__main__.py"), run_name="__main__")
    else:
        program()


@contextlib.contextmanager
def _in_folder(program: Program) -> Iterator[None]:
    """The program's folder as the current one and first on the path, as running it does.

    Its own modules are forgotten afterwards, for the next program.
    """
    if not isinstance(program, Path):
        yield
        return
    before, known, arguments = Path.cwd(), {*sys.modules}, sys.argv
    os.chdir(program)
    sys.argv = [str(program)]
    sys.path.insert(0, str(program))
    try:
        yield
    finally:
        sys.path.remove(str(program))
        sys.argv = arguments
        os.chdir(before)
        for name in {*sys.modules} - known:
            if _is_own(name, program):
                del sys.modules[name]


def _is_own(name: str, folder: Path) -> bool:
    file = getattr(sys.modules[name], "__file__", None) or ""
    own = folder.joinpath(*name.split("."))
    return file in (f"{own}.py", f"{own / '__init__'}.py")


def _halted(error: BaseException) -> bool:
    """Whether the exception comes of a step that was not begun."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, HaltedError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _described(error: BaseException) -> str:
    if isinstance(error, RunError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"the program ended itself with exit status {error.code}"
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).parent)
    library = (f"{os.sep}pulumi{os.sep}", f"{os.sep}asyncio{os.sep}", "<frozen", f"{os.sep}concurrent{os.sep}")
    own = [one for one in frames if not one.filename.startswith(here) and not any(x in one.filename for x in library)]
    where = "".join(traceback.format_list(own))
    what = "".join(traceback.format_exception_only(error)).rstrip()
    return f"the program raised an exception:\n{where}{what}" if where else what


def in_own_thread(work: Callable[[], None]) -> None:
    """Runs it where no event loop is running yet, so that tests in a loop can call it too. Re-raises its exception."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]

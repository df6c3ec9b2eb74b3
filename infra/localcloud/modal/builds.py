"""Building a layer: the base's folder copied, the layer's files put into it, its commands run there.

A build writes into its own folder only (`confine.py`), for `LIMIT_S` at most, and its process group ends with it. The
folder of a build that failed is removed; its log stays.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from modal_proto import api_pb2

from infra.localcloud.modal import confine
from infra.localcloud.modal.layers import HOME, Copy, Run, Step, command_in, variables_in
from infra.localcloud.modal.processes import Process
from infra.localcloud.modal.signals import Signal

LIMIT_S = 1800.0
_LARGEST_READ = 64 * 1024
_INHERITED = ("PATH", "LANG")


class BuildError(Exception):
    """The text says which line of the image failed and how."""


@dataclass
class Build:
    """`result` is None while it runs; `ended` wakes when it has one."""

    log: Path
    result: api_pb2.GenericResult | None = None
    ended: Signal = field(default_factory=Signal)

    def read(self, position: int) -> tuple[str, int]:
        """What the log has from `position` on, whole lines as long as the build runs, and the position after it."""
        with self.log.open("rb") as file:
            file.seek(position)
            data = file.read(_LARGEST_READ)
        if self.result is None:
            data = data[: data.rfind(b"\n") + 1]
        return data.decode(errors="replace"), position + len(data)

    def finish(self, result: api_pb2.GenericResult) -> None:
        self.result = result
        self.ended.notify()

    def give_up(self) -> None:
        """The task is gone; without a result it was ended, perhaps before it began."""
        if self.result is None:
            ended = api_pb2.GenericResult.GENERIC_STATUS_TERMINATED
            self.finish(api_pb2.GenericResult(status=ended, exception="the stand-in ended"))


Source: TypeAlias = tuple[Path | bytes, int]
"""What a file has in it, and its mode; 0 for none."""


@dataclass(frozen=True)
class Layer:
    """`context`: files by their absolute paths there; `environment`: the image's variables before this layer."""

    steps: Sequence[Step]
    context: Mapping[str, Source]
    environment: Mapping[str, str]


async def build(python: Path, base: Path | None, folder: Path, layer: Layer, log: Path) -> None:
    """Fills `folder`; raises BuildError, and then the folder is not there."""
    log.write_bytes(b"")
    shutil.rmtree(folder, ignore_errors=True)
    is_whole = False
    try:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.to_thread(_begin, base, folder)
            for step in layer.steps:
                await _do(python, folder, layer, step, log)
        is_whole = True
    except TimeoutError as error:
        raise BuildError(f"it took more than {LIMIT_S:g} s") from error
    except OSError as error:
        raise BuildError(str(error)) from error
    finally:
        if not is_whole:
            shutil.rmtree(folder, ignore_errors=True)


def _begin(base: Path | None, folder: Path) -> None:
    if base is not None:
        shutil.copytree(base, folder, symlinks=True)
    for needed in (HOME, PurePosixPath("/tmp")):  # noqa: S108 -- the image's own
        _below(folder, str(needed)).mkdir(parents=True, exist_ok=True)


async def _do(python: Path, folder: Path, layer: Layer, step: Step, log: Path) -> None:
    match step:
        case Copy():
            await asyncio.to_thread(_copy, folder, layer.context, step)
        case Run():
            await _run(python, folder, layer.environment, step, log)
        case _:
            _say(log, f"not run: {step.line}")


def _copy(folder: Path, context: Mapping[str, Source], copy: Copy) -> None:
    whole = copy.source in (".", "/", "./")
    wanted = "/" + copy.source.lstrip("/")
    files = {name: file for name, file in context.items() if whole or name == wanted}
    if not files:
        raise BuildError(f"COPY {copy.source} {copy.target}: there is no such file")
    for name, (source, mode) in files.items():
        below = name if whole else PurePosixPath(name).name
        is_folder = whole or copy.target.endswith("/")
        target = _below(folder, f"{copy.target}/{below}" if is_folder else copy.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(source) if isinstance(source, bytes) else shutil.copyfile(source, target)
        target.chmod(mode or 0o644)


def _below(folder: Path, path: str) -> Path:
    """The image's `path` on this machine; raises BuildError where `..` or a link leads out of the image."""
    target = folder / path.lstrip("/")
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise BuildError(f"{path} leads out of the image")
    return target


async def _run(python: Path, folder: Path, environment: Mapping[str, str], run: Run, log: Path) -> None:
    _say(log, f"=> RUN {run.command}")
    if not confine.is_supported():
        raise BuildError(f"RUN {run.command}: this machine cannot keep a build in its folder (Landlock is missing)")
    cwd = _below(folder, str(run.folder))
    cwd.mkdir(parents=True, exist_ok=True)
    shell = ["/bin/sh", "-c", command_in(folder, run.command)]
    command = [str(python), "-I", "-S", confine.__file__, str(folder), *shell]
    given = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    given["PATH"] = f"{python.parent}:{given.get('PATH', os.defpath)}"
    own = {"HOME": str(folder / "root"), "TMPDIR": str(folder / "tmp"), "PYTHONUNBUFFERED": "1"}
    how = await Process(python, command, {**variables_in(folder, environment), **given, **own}, cwd, log).run()
    if how != "exited with status 0":
        raise BuildError(f"RUN {run.command}: it {how}")


def _say(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(f"{line}\n")

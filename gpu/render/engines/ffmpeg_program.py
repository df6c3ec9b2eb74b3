"""An FFmpeg program on this machine, run as a child that can do nothing but its work.

It inherits the limits of its parent, gets no environment, writes to its parent only, and ends with it: a program whose
reader is gone cannot write any more.
"""

import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.packet import Packet
from av.video.stream import VideoStream

from gpu.render.engines.ffmpeg_command import FORMAT
from gpu.render.engines.unable import EngineUnable

_PACKAGE = "imageio_ffmpeg"
_LONGEST_COMPLAINT = 200


def find_program() -> Path:
    """The one of the `imageio-ffmpeg` wheel, else `ffmpeg` on the PATH. Raises EngineUnable."""
    if importlib.util.find_spec(_PACKAGE) is not None:
        try:
            return Path(import_module(_PACKAGE).get_ffmpeg_exe())
        except RuntimeError as error:  # a wheel without a program for this machine
            raise EngineUnable(f"{_PACKAGE} has no program for this machine") from error
    if (found := shutil.which("ffmpeg")) is None:
        raise EngineUnable("there is no ffmpeg program here")
    return Path(found)


class Encoding:
    """A context: a running program that encodes one stream of pictures; leaving it ends the program."""

    def __init__(self, program: Path, arguments: Sequence[str]) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the context
        self._process = subprocess.Popen(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={},
            cwd="/",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
        with self._complaints:
            self._process.__exit__(kind, error, trace)

    def abort(self) -> None:
        """Ends the program, from any thread."""
        self._process.kill()

    def packets(self) -> "Generator[Packet[VideoStream]]":
        """One for each picture. Raises EngineUnable when the program does not end well or complained on its way.

        It conceals what is damaged otherwise than PyAV does, and says so.
        """
        try:
            with av.open(self._process.stdout, "r", format=FORMAT) as container:
                yield from (packet for packet in container.demux(container.streams.video[0]) if packet.size)
        except av.FFmpegError as error:
            raise EngineUnable(f"ffmpeg failed ({self._complaint() or error.strerror})") from error
        if (code := self._process.wait()) or self._complaint():
            raise EngineUnable(f"ffmpeg ended with {code} ({self._complaint()})")

    def _complaint(self) -> str:
        """The first thing that it said."""
        self._process.wait()
        self._complaints.seek(0)
        return self._complaints.readline(_LONGEST_COMPLAINT).decode(errors="replace").strip()

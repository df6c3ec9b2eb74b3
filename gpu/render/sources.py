"""Where a render's sources are read from: local files, or presigned URLs by HTTP ranges.

Each opening is a file of its own with its own position, so two clips of one source can be read side by side.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gpu.render.metered import SeekableFile
from gpu.render.source import HttpSource


class SourceFile(SeekableFile, Protocol):
    """A seekable binary file whose reads can be ended from another thread."""

    def close(self) -> None: ...
    def abort(self) -> None: ...


class Sources(Protocol):
    """The sources of one render, by their index in the plan. They can be given to another process."""

    def open(self, index: int) -> SourceFile:
        """A new file, closed by the caller. Raises MediaFailure or OSError."""


class LocalFile(io.FileIO):
    """A file on this machine, whose reads do not wait."""

    def abort(self) -> None:
        pass


class LocalSources:
    """Files on this machine."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)

    def open(self, index: int) -> SourceFile:
        return LocalFile(self._paths[index])


class HttpSources:
    """Presigned URLs; nothing is read before a source is opened."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = tuple(urls)

    def open(self, index: int) -> SourceFile:
        return HttpSource(self._urls[index])

"""Counts what is read of an untrusted file, so that a file made for it cannot keep a probe reading."""

from typing import Protocol

from gpu.render.errors import MediaFailure


class SeekableFile(Protocol):
    """What FFmpeg needs of a file; every open binary file has it."""

    def read(self, size: int = -1, /) -> bytes | None: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


class MeteredFile:
    """A seekable binary file that gives `most` bytes in all; then reading raises MediaFailure `unsupported_media`."""

    def __init__(self, file: SeekableFile, most: int) -> None:
        self._file, self._most = file, most
        self._given = 0

    def read(self, size: int = -1, /) -> bytes | None:
        data = self._file.read(size)
        self._given += len(data or b"")
        if self._given > self._most:
            mib = self._most >> 20
            raise MediaFailure("unsupported_media", f"{mib} MiB of the video do not tell what it is; convert it to MP4")
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

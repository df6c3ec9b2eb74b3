"""Bytes in files that are written once: a blob is complete under its name or is not there.

A file in `incoming/` is unfinished; one in `blobs/` that no metadata names is waste. Both are swept at start. Removing
a blob that is being read waits for its readers. Without `fsync` (the default) SIGKILL loses nothing, a power cut may.
"""

import asyncio
import hashlib
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

READ_SIZE = 1 << 20


class Blob(NamedTuple):
    """`md5` in hex."""

    name: str
    size: int
    md5: str


class Slice(NamedTuple):
    """`size` bytes of a blob from `start`."""

    blob: str
    start: int
    size: int


class Blobs:
    def __init__(self, root: Path, *, fsync: bool) -> None:
        self._incoming = root / "incoming"
        self._root = root / "blobs"
        self._fsync = fsync
        self._readers: Counter[str] = Counter()
        self._doomed: set[str] = set()
        self._incoming.mkdir(parents=True, exist_ok=True)
        for shard in range(256):
            (self._root / f"{shard:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        return self._root / name[:2] / name

    def writer(self) -> "BlobWriter":
        name = secrets.token_hex(16)
        return BlobWriter(name, self._incoming / name, self.path(name), fsync=self._fsync)

    def read(self, slices: Iterable[Slice]) -> bytes:
        """A small range at once, without yielding to the event loop."""
        return b"".join(_read(self.path(piece.blob), piece.start, piece.size) for piece in slices)

    def reader(self, slices: Sequence[Slice]) -> "BlobReader":
        """A large range piece by piece; the blobs stay readable until it is closed."""
        return BlobReader(self, slices)

    def remove(self, names: Iterable[str]) -> None:
        """Removes blobs that no metadata names any more."""
        for name in names:
            if self._readers[name]:
                self._doomed.add(name)
            else:
                self.path(name).unlink(missing_ok=True)

    def sweep(self, named: set[str]) -> int:
        """Removes what a killed process left behind; returns how many files. Nothing else may run meanwhile."""
        waste = [file for file in self._root.glob("*/*") if file.name not in named]
        waste.extend(self._incoming.iterdir())
        for file in waste:
            file.unlink()
        return len(waste)

    def pin(self, name: str) -> None:
        self._readers[name] += 1

    def unpin(self, name: str) -> None:
        self._readers[name] -= 1
        if not self._readers[name]:
            del self._readers[name]
            if name in self._doomed:
                self._doomed.discard(name)
                self.path(name).unlink(missing_ok=True)


class BlobWriter:
    """One new blob: `write`, then `finish` or `discard`."""

    def __init__(self, name: str, incoming: Path, final: Path, *, fsync: bool) -> None:
        self._name = name
        self._incoming = incoming
        self._final = final
        self._fsync = fsync
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._file = incoming.open("xb")

    def write(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            self._file.write(chunk)
            self._md5.update(chunk)
            self._size += len(chunk)

    def finish(self) -> Blob:
        """Closes the file and gives it its name."""
        if self._fsync:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        self._incoming.rename(self._final)
        if self._fsync:
            _sync_folder(self._final.parent)
        return Blob(self._name, self._size, self._md5.hexdigest())

    def discard(self) -> None:
        self._file.close()
        self._incoming.unlink(missing_ok=True)


class BlobReader:
    """Yields READ_SIZE bytes at most at a time, read off the event loop."""

    def __init__(self, blobs: Blobs, slices: Sequence[Slice]) -> None:
        self._blobs = blobs
        self._slices = slices
        for piece in slices:
            blobs.pin(piece.blob)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._slices:
            path = self._blobs.path(piece.blob)
            for offset in range(0, piece.size, READ_SIZE):
                size = min(READ_SIZE, piece.size - offset)
                yield await asyncio.to_thread(_read, path, piece.start + offset, size)

    def close(self) -> None:
        for piece in self._slices:
            self._blobs.unpin(piece.blob)
        self._slices = ()


def _read(path: Path, start: int, size: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), size, start)
    if len(data) != size:
        raise OSError(f"{path} holds {start + len(data)} bytes, {start + size} are needed; the state folder is damaged")
    return data


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""An app's log: one JSON line for each line of its machines and of the platform, in one file of bounded size."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

ROTATE_BYTES = 8 * 1024 * 1024
_READ_BYTES = 512 * 1024

Provider = Literal["app", "runner", "proxy"]


class AppLog:
    """Appends lines; `tail` reads the end of the file. The file before the last rotation is kept as `.1`."""

    def __init__(self, path: Path, region: str = "lax") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._region = region
        self._file: TextIO | None = None

    def write(self, instance: str, message: str, *, provider: Provider = "app", level: str = "info") -> None:
        file = self._open()
        entry = {
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "instance": instance,
            "region": self._region,
            "provider": provider,
            "level": level,
            "message": message,
        }
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        if file.tell() > ROTATE_BYTES:
            self.close()
            self._path.replace(self._path.with_suffix(".1"))

    def tail(self, limit: int, instance: str | None = None) -> list[dict[str, Any]]:
        """The last `limit` lines, oldest first, of one machine or of all."""
        lines = [entry for entry in self._recent() if instance in (None, entry["instance"])]
        return lines[-limit:]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> TextIO:
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
        return self._file

    def _recent(self) -> Iterator[dict[str, Any]]:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _READ_BYTES))
            lines = file.read().split(b"\n")
        whole = lines[1:] if size > _READ_BYTES else lines
        yield from (json.loads(line) for line in whole if line)

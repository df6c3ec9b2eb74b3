"""Gives a file or a folder its name only when it is complete. A killed process may leave a hidden folder beside it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """Yields a path to write to, which becomes `path` at the end of the block; an exception leaves nothing.

    A file replaces what was at `path`; a folder needs `path` to be absent or empty, otherwise OSError is raised.
    """
    room = Path(tempfile.mkdtemp(prefix=".derive-", dir=path.parent))
    try:
        part = room / path.name
        yield part
        part.replace(path)
    finally:
        shutil.rmtree(room)

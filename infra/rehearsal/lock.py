"""One run at a time on one state: an advisory lock that the system releases when its holder dies.

It belongs to the process alone: a child that was forked and has not started its command yet would hold a `flock` on.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class LockedError(RuntimeError):
    """Another run holds the state; the message names its process."""


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """Holds `<state>.lock`. Raises LockedError at once if another process does."""
    path = state.with_name(state.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = file.read().strip() or "unknown"
            raise LockedError(
                f"{state} is in use by another run (process {holder}); "
                f"wait until it ends, or stop it with `kill {holder}`"
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

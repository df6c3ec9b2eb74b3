"""What one command may use of its machine. The kernel holds it to that, whatever a file claims of itself.

Memory is counted on top of what the libraries take, which grows with the machine's cores. The number of processes is
not limited: the kernel counts it for the whole user, so that a busy machine would make every video fail.
"""

import errno
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from gpu.render.errors import MediaFailure

GIB = 1 << 30
_STATM = Path("/proc/self/statm")
_LAST_CPU_SECONDS = 10
"""Between the limit at which the command answers and the one at which the kernel kills it."""


@dataclass(frozen=True)
class Limits:
    """`memory_bytes` are of address space; `written_bytes` are of each file."""

    memory_bytes: int
    cpu_seconds: int
    wall_seconds: float
    written_bytes: int
    open_files: int = 64  # a handful of files and connections are in use; libraries open one more at a time


PROBE = Limits(
    memory_bytes=GIB * 3 // 2,  # measured: 8K takes 0.45 GiB, 4K 0.3; ten-bit pictures twice that
    cpu_seconds=60,  # a second is usual; the index of six hours takes about ten
    wall_seconds=110,  # before the callers' 120 s, so that the answer says why
    written_bytes=16 << 20,  # it writes nothing; Python may write bytecode
)
RENDER = Limits(
    memory_bytes=4 * GIB,  # measured: 1080p takes 0.65 GiB (0.4 resident), 4K 1.55 (1.2); as the function on Modal
    cpu_seconds=4 * 3600,  # four cores for the time of the longest clip
    wall_seconds=3540,  # before the callers' 3600 s
    written_bytes=5 * GIB,  # the largest object that one PUT can store
)


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """For the main thread of a process that does this one work: what is taken is not given back at the end.

    Inside, reaching a limit raises MediaFailure `unsupported_media`, or `bad_spec` when the result is too large.
    """
    seconds = f"{limits.wall_seconds:g} s"
    signal.signal(signal.SIGALRM, _failing(f"the video took longer than {seconds}; it may be damaged, convert it"))
    signal.signal(signal.SIGXCPU, _failing("the video takes too much computing; it may be damaged, convert it"))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    _lower(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + _LAST_CPU_SECONDS)
    if _STATM.exists():  # elsewhere than on Linux nobody enforces it
        _lower(resource.RLIMIT_AS, _address_space() + limits.memory_bytes)
    _lower(resource.RLIMIT_FSIZE, limits.written_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    _lower(resource.RLIMIT_CORE, 0)  # a core would hold the user's pictures
    try:
        yield
    except MemoryError as error:
        raise MediaFailure(
            "unsupported_media",
            "the video needs too much memory; it may be damaged, its tracks too many or its pictures too large",
        ) from error
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        size = f"{limits.written_bytes / GIB:g} GiB"
        raise MediaFailure("bad_spec", f"the clip would be larger than {size}; choose a shorter one") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _failing(message: str) -> Callable[[int, FrameType | None], None]:
    """A handler that raises once; what is on its way out is not interrupted again."""

    def fail(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise MediaFailure("unsupported_media", message)

    return fail


def _lower(kind: int, soft: int, hard: int | None = None) -> None:
    """Never above what the process may have already."""
    allowed = resource.getrlimit(kind)[1]
    wanted = soft if hard is None else hard
    if allowed != resource.RLIM_INFINITY:
        soft, wanted = min(soft, allowed), min(wanted, allowed)
    resource.setrlimit(kind, (soft, wanted))


def _address_space() -> int:
    pages = int(_STATM.read_text().split()[0])
    return pages * resource.getpagesize()

"""What a render weighs: memory of all its processes at its peak, and the CPU that it takes until its first picture."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from bench.figure import Figure
from bench.render.framing import spec
from bench.render.match import recording

MIB = 1 << 20
MOST_MEMORY = {(1920, 1080): 500 * MIB, (3840, 2160): 1200 * MIB}
MOST_SECONDS = 1.0
_FIRST_PICTURE = """
import resource, sys
from pathlib import Path
from gpu.render import produce
from gpu.render.media import open_media
from gpu.render.sources import LocalSources
with open_media(LocalSources([Path(sys.argv[1])]).open(0)) as media:
    assert media.first.width
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime)
"""


def figures() -> Iterator[Figure]:
    """Against the goals themselves: bytes of resident memory, shared pages counted once; seconds of CPU."""
    for size, most in MOST_MEMORY.items():
        with recording(*size, seconds=5) as clip:
            peak = _peak(clip)
        yield Figure(f"memory of framing {size[1]}p", peak / MIB, "MiB", most / MIB, limit=1.0, at_most=True)
    with recording(seconds=1) as clip:
        used = min(_start(clip) for _ in range(3))
    yield Figure("start until the first picture", used, "s CPU", MOST_SECONDS, limit=1.0, at_most=True)


def _peak(clip: Path) -> int:
    """Most memory that the command and all its processes have at once."""
    path = clip.with_name("spec.json")
    path.write_text(spec(150).model_dump_json())
    command = [sys.executable, "-m", "gpu.render", str(clip), "--spec", str(path), "-o", str(clip.with_name("o.mp4"))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, _memory(psutil.Process(process.pid)))
    if process.returncode:
        raise ChildProcessError(f"the render ended with {process.returncode}")
    return peak


def _memory(process: psutil.Process) -> int:
    total = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
    return total


def _start(clip: Path) -> float:
    command = [sys.executable, "-c", _FIRST_PICTURE, str(clip)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())

"""`python -m gpu.render`, which leaves a note of what it used: `… measured FOLDER --request FUNCTION`."""

import json
import os
import resource
import sys
from pathlib import Path

from gpu.render.__main__ import main


def _peak() -> int:
    """Bytes; `ru_maxrss` would count what the parent had before this program was started."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    status = main()
    used = resource.getrusage(resource.RUSAGE_SELF)
    note = {"verb": sys.argv[2], "cpu_seconds": used.ru_utime + used.ru_stime, "resident_bytes": _peak()}
    (folder / f"{os.getpid()}.json").write_text(json.dumps(note))
    sys.exit(status)

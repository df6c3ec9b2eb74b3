"""Probes one file in a process that cannot open anything: `python -m tests.gpu.hostile.sealed GOOD... FILE`

Prints the answer. The GOOD ones are probed before, unsealed, so that what is loaded late is loaded: modules, and for
the names in an MPEG-TS the tables of iconv.
"""

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

from gpu.render.errors import MediaFailure
from gpu.render.limits import PROBE, limited
from gpu.render.produce import probe_file
from tests.gpu.hostile.seal import seal

_TRIM_THRESHOLD = -1
"""Of mallopt(3); glibc reads a file of /proc before it first gives memory back, which would break the seal."""


def main(*names: str) -> None:
    ctypes.CDLL(None).mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    *good, name = names
    for path in (*good, __file__):
        with Path(path).open("rb") as file, suppress(MediaFailure):
            probe_file(file)
    with Path(name).open("rb") as file:
        try:
            with limited(PROBE):
                seal()
                text = probe_file(file).model_dump_json()
        except MediaFailure as failure:
            text = failure.error.model_dump_json()
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

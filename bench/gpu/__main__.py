"""python -m bench.gpu: everything that needs a GPU, as JSON lines; keeps them with the device's name in docs/.

Without a GPU it says so in one line, writes nothing and exits 0; exit 1 when a figure misses its limit.
"""

import sys
from pathlib import Path

from bench.gpu import rendering, tracking, upscaling
from bench.gpu.record import write_record
from gpu.render.engines.gpu_probe import this_gpu
from gpu.render.engines.unable import EngineUnable
from gpu.render.errors import MediaFailure

RECORD = Path(__file__).parents[2] / "docs" / "gpu-bench.md"


def main() -> int:
    try:
        gpu = this_gpu()
    except EngineUnable as reason:
        print(f"No GPU figures: {reason}.")
        return 0
    figures, missing = [], []
    for room in (rendering, upscaling, tracking):
        try:
            for figure in room.figures(gpu):
                print(figure.line(), flush=True)
                figures.append(figure)
        except MediaFailure as failure:  # a library that is not on this machine
            missing.append(failure.message)
            print(f"Left out: {failure.message}.", flush=True)
    write_record(RECORD, gpu, figures, missing)
    return 1 if any(not figure.ok for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())

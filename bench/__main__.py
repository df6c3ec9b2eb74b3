"""make bench: every figure as one JSON line; exit 1 when one misses its limit."""

import sys

from bench import deploys, framing, rehearsal
from bench.library import figures as library


def main() -> int:
    missed = 0
    for room in (rehearsal, framing, deploys, library):
        for figure in room.figures():
            print(figure.line(), flush=True)
            missed += not figure.ok
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

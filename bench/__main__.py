"""make bench: every figure as one JSON line; exit 1 when one misses its limit."""

import sys

from bench import deploys, rehearsal
from bench.library import figures as library
from bench.render import figures as render


def main() -> int:
    missed = 0
    for room in (rehearsal, render, deploys, library):
        for figure in room.figures():
            print(figure.line(), flush=True)
            missed += not figure.ok
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m bench.library: the figures of the library alone; exit 1 when one misses its limit."""

import sys

from bench.library.figures import figures


def main() -> int:
    missed = 0
    for figure in figures():
        print(figure.line(), flush=True)
        missed += not figure.ok
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Weights as commands: `fetch` for the build of an image, `lock` for whoever pins other weights."""

import argparse
import sys
from pathlib import Path

from gpu.weights.lock import LOCK, WeightsError
from gpu.weights.store import fetch, relock


def main() -> int:
    options = _parser().parse_args()
    try:
        if options.verb == "fetch":
            fetch(options.directory, options.names, lock=options.lock, say=print)
        else:
            relock(options.names, lock=options.lock, say=print)
    except WeightsError as error:
        print(f"weights: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu.weights", description="Fetches and locks trained networks.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    fetching = verbs.add_parser("fetch", help="put verified weights into a folder")
    fetching.add_argument("directory", type=Path)
    locking = verbs.add_parser("lock", help="download, measure, compare and write the lock; needs the internet")
    for verb in (fetching, locking):
        verb.add_argument("names", nargs="*", metavar="NAME", help="names in the lock; without any, all")
        verb.add_argument("--lock", type=Path, default=LOCK)
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The corpus: a file for every public function of the rooms below, named after it.

python -m tests.gpu.hostile.corpus DIR [--seed 1] [--bait /etc/passwd] [--lure http://127.0.0.1:9/lure.ts]
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.gpu.hostile import bombs, broken, playlists, strangers
from tests.gpu.hostile.seed import Seed, plant

SEED = 20_260_101
Kind = Callable[[Seed], bytes]


def kinds(*rooms: object) -> dict[str, Kind]:
    """Functions that make a file, by the name of the file."""
    return {name: make for room in rooms or (broken, playlists, strangers, bombs) for name, make in _made_by(room)}


def write_corpus(folder: Path, seed: Seed) -> dict[str, Path]:
    """Every file as `name.mp4`, whatever it is: an upload's name proves nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, make in kinds().items():
        paths[name] = folder / f"{name}.mp4"
        paths[name].write_bytes(make(seed))
    return paths


def _made_by(room: object) -> Iterator[tuple[str, Kind]]:
    for name, made in inspect.getmembers(room, inspect.isfunction):
        if not name.startswith("_") and list(inspect.signature(made).parameters) == ["seed"]:
            yield name, made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.hostile.corpus", description="Writes hostile files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--bait", default="/etc/passwd", help="a local file that some of them name")
    parser.add_argument("--lure", default="http://127.0.0.1:9/lure.ts", help="an address that some of them name")
    options = parser.parse_args()
    for path in write_corpus(options.folder, plant(options.seed, options.bait, options.lure)).values():
        sys.stdout.write(f"{path.stat().st_size:>9} {path}\n")


if __name__ == "__main__":
    main()

"""`--seeds A:B --jobs N` plays many, `--seed N` plays one and prints its history; exit status 1 on a violation."""

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.library.simulation.scenario import Outcome, simulate

_CHUNK = 250


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.library.simulation", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="play this seed and print what happened")
    what.add_argument("--seeds", type=seeds, metavar="A:B", help="play seeds A to B-1")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args(arguments)
    # Machines that meet faults warn of them, thousands of times.
    logging.disable(logging.CRITICAL)
    return play_one(given.seed) if given.seed is not None else play_many(given.seeds, given.jobs)


def seeds(text: str) -> range:
    """`A:B`, without B; raises ValueError."""
    first, _, end = text.partition(":")
    return range(int(first), int(end))


def replay(seed: int) -> str:
    """The command that shows what happened."""
    return f"python -m tests.library.simulation --seed {seed}"


def play_one(seed: int) -> int:
    outcome = simulate(seed)
    print(outcome.history)
    for violation in outcome.violations:
        print(f"VIOLATED {violation}")
    return 1 if outcome.violations else 0


def play_many(wanted: range, jobs: int) -> int:
    started, done, failed = time.monotonic(), 0, 0
    chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
    for chunk, outcomes in zip(chunks, _played(chunks, jobs), strict=True):
        done += len(chunk)
        failed += len(outcomes)
        for outcome in outcomes:
            print(f"{replay(outcome.seed)}  # {outcome.violations[0]}", flush=True)
        print(f"{done}/{len(wanted)} seeds, {failed} failed, {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 1 if failed else 0


def failures(chunk: range) -> list[Outcome]:
    """The seeds that violate something, without their histories."""
    outcomes = (simulate(seed) for seed in chunk)
    return [outcome._replace(history="") for outcome in outcomes if outcome.violations]


def _played(chunks: list[range], jobs: int) -> Iterator[list[Outcome]]:
    if jobs == 1:
        yield from map(failures, chunks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(failures, chunks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

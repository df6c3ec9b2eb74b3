"""A rehearsal that changes nothing, against a program with one resource; and a second `make up`."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figure import Figure
from infra.local import cloud
from infra.local.apply import environment
from infra.local.paths import PYTHON, STATE
from infra.localcloud.stackfile import CREDENTIALS, local_config
from infra.sources import ROOT

RUNS = 3
SECOND_UP_LIMIT_S = 15.0


def figures() -> Iterator[Figure]:
    """Needs the local stack up; runs of the two programs alternate, so that a busy machine disturbs both."""
    cloud.ensure()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        one, destroy_one = (_one_resource(verb, Path(scratch)) for verb in ("up", "destroy"))
        stack = _rehearsal("up", "--stack", "local", "--state", str(STATE))
        one(), stack()
        pairs = [(_seconds(stack), _seconds(one)) for _ in range(RUNS)]
        destroy_one()
    whole, single = (statistics.median(each) for each in zip(*pairs, strict=True))
    yield Figure("no-change rehearsal of the local stack", whole, "s", single, limit=2.0, at_most=True)
    again = _seconds(lambda: _run(["make", "--silent", "up"]))
    yield Figure("second make up", again, "s", SECOND_UP_LIMIT_S, limit=1.0, at_most=True)


def _one_resource(verb: str, scratch: Path) -> Callable[[], None]:
    config = scratch / "config.json"
    config.write_text('{"config": {}, "secret": []}')
    program = ["--program", str(ROOT / "bench/one_resource"), "--config", str(config), "--stack", "bench", "--yes"]
    return _rehearsal(verb, *program, "--state", str(scratch / "state.json"))


def _rehearsal(*words: str) -> Callable[[], None]:
    command = [str(PYTHON), "-m", "infra.rehearsal", *words, "--env-file", str(CREDENTIALS)]
    return lambda: _run(command)


def _seconds(action: Callable[[], None]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _run(command: list[str]) -> None:
    config = local_config()
    names = {"BENCH_CLOUDFLARE_URL": config.cloudflare_url or "", "BENCH_ACCOUNT_ID": config.account_id}
    done = subprocess.run(
        command, cwd=ROOT, env={**environment(), **names}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} … failed:\n{done.stdout}{done.stderr}")

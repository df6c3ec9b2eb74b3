"""The R2 stand-in in a process of its own: its CPU and memory are not the library's.

It waits 30 ms before every call and takes one write a second of a key, as R2 does.

    python -m bench.library.stand_in STATE     prints its address as JSON, answers each line with the calls since the
                                               last one, and ends when its input ends
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from app.settings import R2Settings
from infra.localcloud.faults import FaultPlan, Faults
from infra.localcloud.r2 import R2
from infra.sources import ROOT

LATENCY_MS = 30
KEY_WRITES_PER_SECOND = 1
_BUCKET = "bench"
_KEY_ID = "bench"
_SECRET = "not-a-real-secret"


class StandIn:
    """A running stand-in, seen from the process that measures."""

    def __init__(self, settings: R2Settings, questions: IO[str], answers: IO[str]) -> None:
        self.settings = settings
        self._questions = questions
        self._answers = answers

    def calls(self) -> int:
        """How many requests arrived since the last question, repeated and refused ones too."""
        self._questions.write("calls\n")
        self._questions.flush()
        return int(self._answers.readline())


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Serves until the block ends, or this process does."""
    with tempfile.TemporaryDirectory(prefix="bench-r2-") as state:
        command = [sys.executable, "-m", "bench.library.stand_in", state]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the R2 stand-in ended with {process.wait()} before it served")
            try:
                yield StandIn(_settings(url), process.stdin, process.stdout)
            finally:
                process.stdin.close()
                process.wait(30)


def _settings(url: str) -> R2Settings:
    return R2Settings(url, _BUCKET, _KEY_ID, SecretStr(_SECRET))


async def _serve(state: Path) -> None:
    faults = Faults(FaultPlan.parse(json.dumps({"rules": [{"fault": "latency", "latency_ms": LATENCY_MS}]})))
    r2 = R2(state, key_writes_per_second=KEY_WRITES_PER_SECOND, faults=faults)
    r2.control.create_bucket(_BUCKET)
    r2.control.grant(_KEY_ID, _SECRET, _BUCKET, "write")
    await r2.start()
    print(r2.url, flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(len(faults.calls), flush=True)
        faults.calls.clear()
    await r2.stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))

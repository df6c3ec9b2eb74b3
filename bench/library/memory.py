"""Memory of many idle libraries, in a process of its own, and whether the cache still serves the latest of them.

python -m bench.library.memory     reads R2Settings and user ids as JSON, prints its growth, waits for a line, reads
                                   the latest again and prints how many those were
"""

import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Sequence

import psutil
import uvloop
from pydantic import SecretStr

from app.library.libraries import Libraries
from app.settings import R2Settings
from app.storage.objects import R2ObjectStore
from bench.figure import Figure
from bench.library.contents import contents
from bench.library.goals import within
from bench.library.stand_in import StandIn
from bench.library.stock import KEYS, SMALL, fill, owner_of
from infra.sources import ROOT

_LIBRARIES = 500
_WARMING = 4
_LATEST = 100
_AT_ONCE = 16
_GOAL_MB = 128.0
_MB = 1e6


async def measure(stand_in: StandIn) -> list[Figure]:
    users = [f"memory-{number}" for number in range(_WARMING + _LIBRARIES)]
    await _make(R2ObjectStore(stand_in.settings), users)
    growth_mb, latest, calls = _held(stand_in, users)
    name = f"memory of {_LIBRARIES} idle libraries of 216 KB, at most {_GOAL_MB:.0f} MB, against their images' bytes"
    return [
        within(name, growth_mb, "MB", _LIBRARIES * SMALL / _MB, _GOAL_MB),
        within(f"requests to read one of the latest {latest} of them again", calls / latest, "requests", 1, 1),
    ]


async def _make(objects: R2ObjectStore, users: Sequence[str]) -> None:
    filling, room = contents(SMALL), asyncio.Semaphore(_AT_ONCE)
    libraries = Libraries(objects, KEYS)

    async def one(user_id: str) -> None:
        async with room:
            await fill(libraries, owner_of(user_id), filling)

    await asyncio.gather(*(one(user_id) for user_id in users))
    await libraries.close()


def _held(stand_in: StandIn, users: Sequence[str]) -> tuple[float, int, int]:
    """Growth in MB, how many libraries were read again, and with how many requests."""
    command = [sys.executable, "-m", "bench.library.memory"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_question(stand_in.settings, users))
        process.stdin.flush()
        growth_mb = float(process.stdout.readline()) / _MB
        stand_in.calls()
        process.stdin.write("again\n")
        process.stdin.flush()
        latest = int(process.stdout.readline())
        calls = stand_in.calls()
    return growth_mb, latest, calls


def _question(settings: R2Settings, users: Sequence[str]) -> str:
    secret = settings.secret_access_key.get_secret_value()
    return json.dumps([settings.endpoint, settings.bucket, settings.access_key_id, secret, list(users)]) + "\n"


async def _hold() -> None:
    endpoint, bucket, key_id, secret, users = json.loads(sys.stdin.readline())
    libraries = Libraries(R2ObjectStore(R2Settings(endpoint, bucket, key_id, SecretStr(secret))), KEYS)
    await _open(libraries, users[:_WARMING])
    before = _resident_bytes()
    await _open(libraries, users[_WARMING:])
    print(_resident_bytes() - before, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    latest = users[-_LATEST:]
    await _open(libraries, latest)
    print(len(latest), flush=True)
    await libraries.close()


async def _open(libraries: Libraries, users: Sequence[str]) -> None:
    """In order, several at once."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(user_id: str) -> None:
        async with room, libraries.read(owner_of(user_id)) as db:
            (clips,) = db.execute("SELECT count(*) FROM clips").fetchone()
            assert clips

    await asyncio.gather(*(one(user_id) for user_id in users))


def _resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    uvloop.run(_hold())

"""Serves R2 until it is killed and prints its port: `python -m tests.infra.localcloud.r2.serve STATE`."""

import asyncio
import sys
from pathlib import Path

from infra.localcloud.r2 import R2


async def serve(state: Path) -> None:
    r2 = R2(state)
    await r2.start()
    sys.stdout.write(f"{r2.port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

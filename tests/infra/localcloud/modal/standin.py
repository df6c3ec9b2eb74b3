"""The stand-in as a process of its own, for the test that kills it: `python -m … STATE GRPC_PORT HTTP_PORT`."""

import asyncio
import sys
from pathlib import Path

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import ENVIRONMENT, TOKENS


async def main(state: str, grpc_port: str, http_port: str) -> None:
    cloud = Modal(
        Path(state),
        int(grpc_port),
        int(http_port),
        python=Path(sys.executable),
        tokens=TOKENS,
        environments=[ENVIRONMENT],
    )
    await cloud.start()
    print(cloud.grpc_port, cloud.http_port, flush=True)  # noqa: T201 -- the test reads the ports
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

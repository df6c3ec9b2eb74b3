"""python -m infra.localcloud serve --state DIR: all stand-ins in one process, one port each, loopback only.

A further `--front` lets one more Fly app answer, so that several stacks can be tried in one account.
SIGTERM and SIGINT end it and everything it started. SIGUSR1 frees the two ports that users see (API and site), SIGUSR2
takes them again: a dev server borrows them in between.

--faults PLAN.json makes calls fail as the plan says, and takes another plan whenever the file is replaced; every call
is a line of DIR/calls.jsonl then.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from infra.config import ConfigError, StackConfig
from infra.localcloud.asgi import PortInUseError
from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.faults import Faults, PlanError
from infra.localcloud.fly import Fly
from infra.localcloud.modal import Modal
from infra.localcloud.ports import Ports
from infra.localcloud.r2 import R2
from infra.localcloud.stackfile import credentials, local_config

ZONES = {"reelballers.test": "20ca20ca20ca20ca20ca20ca20ca20ca"}


async def serve(state: Path, config: StackConfig, fronts: dict[str, int], plan: Path | None = None) -> None:
    """Until SIGTERM or SIGINT; prints one line of JSON once everything listens. `plan`: a file of faults."""
    faults = Faults(file=plan, log=state / "calls.jsonl") if plan else None
    ports, known = Ports.of(config), credentials()
    python = Path(sys.executable)
    r2 = R2(state=state / "r2", port=ports.r2, faults=faults)
    cloudflare = Cloudflare(
        state=state / "cloudflare",
        port=ports.cloudflare,
        site_port=ports.site,
        site_project=config.pages_project,
        buckets=r2.control,
        account_id=config.account_id,
        zones=ZONES,
        tokens=frozenset({known["CLOUDFLARE_API_TOKEN"]}),
        faults=faults,
    )
    modal = Modal(
        state=state / "modal",
        grpc_port=ports.modal_grpc,
        http_port=ports.modal_http,
        python=python,
        tokens={known["MODAL_TOKEN_ID"]: known["MODAL_TOKEN_SECRET"]},
        faults=faults,
    )
    fly = Fly(
        state=state / "fly",
        port=ports.fly,
        fronts={config.fly_app: ports.api, **fronts},
        python=python,
        tokens=frozenset({known["FLY_ACCESS_TOKEN"]}),
        faults=faults,
    )
    async with contextlib.AsyncExitStack() as started:
        for stand_in in (r2, cloudflare, modal, fly):
            await stand_in.start()
            started.push_async_callback(stand_in.stop)
        await _until_stopped(cloudflare, fly, config.fly_app)


async def _until_stopped(cloudflare: Cloudflare, fly: Fly, app: str) -> None:
    loop, stopped, lent = asyncio.get_running_loop(), asyncio.Event(), asyncio.Queue[bool]()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGUSR1, lent.put_nowait, True)
    loop.add_signal_handler(signal.SIGUSR2, lent.put_nowait, False)
    lending = asyncio.create_task(_lend_fronts(cloudflare, fly, app, lent))
    print(json.dumps({"ready": True, "pid": os.getpid()}), flush=True)
    await stopped.wait()
    lending.cancel()


async def _lend_fronts(cloudflare: Cloudflare, fly: Fly, app: str, lent: asyncio.Queue[bool]) -> None:
    while True:
        if await lent.get():
            await asyncio.gather(cloudflare.site.pause(), fly.pause(app))
        else:
            await asyncio.gather(cloudflare.site.resume(), fly.resume(app))


def _front(text: str) -> tuple[str, int]:
    app, _, port = text.partition("=")
    return app, int(port)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.localcloud", description=__doc__)
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--front", action="append", type=_front, default=[], metavar="APP=PORT")
    parser.add_argument("--faults", type=Path, metavar="PLAN.json", help="a plan of faults, read anew when replaced")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.state, local_config(), dict(options.front), options.faults))
    except (PortInUseError, ConfigError, PlanError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

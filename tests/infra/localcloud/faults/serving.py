"""Stand-ins in a thread with a loop of its own, so that blocking clients can be called, and plans in one line."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from infra.localcloud.faults import FaultPlan, Faults


class StandIn(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


S = TypeVar("S", bound=StandIn)


@contextmanager
def serving(stand_in: S) -> Iterator[S]:
    """`with serving(R2(folder)) as r2:` serves until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(stand_in.start(), loop).result(60)
        yield stand_in
    finally:
        asyncio.run_coroutine_threadsafe(stand_in.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


def plan(*rules: dict[str, Any], seed: int = 1) -> FaultPlan:
    return FaultPlan.model_validate({"seed": seed, "rules": rules})


def rule(service: str, call: str, fault: str, **more: Any) -> dict[str, Any]:
    return {"service": service, "call": call, "fault": fault, **more}


def log(faults: Faults, since: int = 0) -> list[tuple[str, str, int | None]]:
    """Call, fault and status of each call after the first `since`."""
    return [(call.call, call.fault, call.status) for call in faults.calls[since:]]

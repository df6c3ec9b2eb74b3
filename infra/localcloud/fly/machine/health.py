"""Health of one started machine: its HTTP checks, or whether it accepts connections where it has none.

A check starts at once and repeats quickly until it passes or its grace period is over, then at its interval; a failed
check stops routing and never restarts a machine, as on Fly.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import aiohttp

from infra.localcloud.fly.config import Check, Service
from infra.localcloud.fly.machine.process import LOOPBACK
from infra.localcloud.fly.model import now

_FIRST_POLL_S = 0.02
_SLOWEST_FAST_POLL_S = 0.5
_CONNECT_TIMEOUT_S = 2.0


@dataclass
class CheckState:
    name: str
    check: Check | None
    status: Literal["passing", "critical"] = "critical"
    output: str = "connect: connection refused"
    updated_at: datetime = field(default_factory=now)


class Health:
    """Watches one process on one port until `stop`; `changed` is called whenever the verdict may have changed."""

    def __init__(
        self, service: Service | None, port: int, session: aiohttp.ClientSession, changed: Callable[[], None]
    ) -> None:
        internal_port = service.internal_port if service else 0
        checks = service.checks if service else ()
        self._port = port
        self._session = session
        self._changed = changed
        self._began = time.monotonic()
        self._grace_s = max((check.grace_period_s for check in checks), default=0.0)
        self._tasks: list[asyncio.Task[None]] = []
        self.checks = [CheckState(f"servicecheck-{i:02}-http-{internal_port}", check) for i, check in enumerate(checks)]
        self._connection = CheckState("connection", None)
        self._serves = service is not None

    def start(self) -> None:
        states = self.checks or ([self._connection] if self._serves else [])
        self._tasks = [asyncio.create_task(self._watch(state)) for state in states]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def passing(self) -> bool:
        states = self.checks or ([self._connection] if self._serves else [])
        return all(state.status == "passing" for state in states)

    @property
    def passing_count(self) -> int:
        return sum(state.status == "passing" for state in self.checks)

    @property
    def in_grace(self) -> bool:
        """Whether it may still become healthy as part of its start."""
        return time.monotonic() - self._began < self._grace_s if self.checks else not self.passing

    async def _watch(self, state: CheckState) -> None:
        pause = _FIRST_POLL_S
        while True:
            await self._run(state)
            if state.check is None:
                if state.status == "passing":
                    return
                pause = min(pause * 1.5, _SLOWEST_FAST_POLL_S)
            elif state.status == "passing" or not self.in_grace:
                pause = state.check.interval_s
            else:
                pause = min(pause * 1.5, _SLOWEST_FAST_POLL_S)
            await asyncio.sleep(pause)

    async def _run(self, state: CheckState) -> None:
        try:
            passes, output = await (self._request(state.check) if state.check else self._connect())
        except (aiohttp.ClientError, OSError) as error:
            passes, output = False, _reason(error)
        except TimeoutError:
            passes, output = False, "context deadline exceeded"
        state.status, state.output, state.updated_at = "passing" if passes else "critical", output, now()
        self._changed()

    async def _request(self, check: Check) -> tuple[bool, str]:
        async with self._session.request(
            check.method,
            f"http://{LOOPBACK}:{self._port}{check.path}",
            headers={"User-Agent": "Consul Health Check", **check.headers},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=check.timeout_s),
        ) as response:
            return 200 <= response.status < 300, f"{response.status} {response.reason}"

    async def _connect(self) -> tuple[bool, str]:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, self._port), _CONNECT_TIMEOUT_S)
        writer.close()
        return True, "connected"


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError | ConnectionRefusedError):
        return "connect: connection refused"
    return f"{type(error).__name__}: {error}"

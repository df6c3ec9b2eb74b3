"""`python -m app` with its workers as one process group: killed as a whole, started again on its port."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from infra.localcloud.r2 import R2
from tests.app.test_process import BUCKET, ROOT
from tests.app.waiting import PATIENCE_S, until, until_true

WORKERS = 2


class Server:
    """Call `start` first; `log` has what all its lives said, `groups` their process groups."""

    def __init__(self, r2: R2, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self.groups: list[int] = []
        self._environment = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "development",
            "PORT": str(port),
            "WEB_CONCURRENCY": str(WORKERS),
            "R2_ENDPOINT": r2.url,
            "R2_BUCKET": BUCKET,
            "R2_ACCESS_KEY_ID": "the-key",
            "R2_SECRET_ACCESS_KEY": "the-secret",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as stream:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "app",
                cwd=ROOT,
                env=self._environment,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.groups.append(self._process.pid)

    async def healthy(self) -> None:
        """Until it answers; AssertionError with its log when it ended by itself."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S) as client:

            async def look() -> bool | None:
                assert self._process is not None, f"{self.url} was not started"
                assert self._process.returncode is None, self.log.read_text()
                try:
                    return (await client.get("/api/health")).status_code == 200 or None
                except httpx.TransportError:
                    return None

            await until(look, 0.05)

    async def kill(self) -> None:
        """SIGKILL for the process and its workers; resolves once all of them are gone."""
        if self._process is None:
            return
        group, self._process = self._process, None
        os.killpg(group.pid, signal.SIGKILL)
        await group.wait()
        await until_true(lambda: not living(group.pid))


def living(group: int) -> list[int]:
    """Processes of the group; zombies do nothing more, and whoever adopted them may be slow to notice."""
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


@asynccontextmanager
async def running(servers: list[Server]) -> AsyncIterator[None]:
    """All of them started and healthy; killed at the end, whatever state they are in."""
    try:
        for server in servers:
            await server.start()
        for server in servers:
            await server.healthy()
        yield
    finally:
        for server in servers:
            await server.kill()

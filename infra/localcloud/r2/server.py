"""R2 on loopback: state in one folder, served by one ASGI server in the caller's event loop."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from infra.localcloud.asgi import AsgiServer
from infra.localcloud.faults.http import with_faults
from infra.localcloud.faults.injector import Faults
from infra.localcloud.r2 import lifecycle
from infra.localcloud.r2.calls.call import Context, WriteLimit
from infra.localcloud.r2.control import Control
from infra.localcloud.r2.gateway import Gateway, ServedCall
from infra.localcloud.r2.store.storage import Storage

logger = logging.getLogger(__name__)


class R2:
    """`control` works until `stop`; `port` and `url` hold after `start`; `served` are the latest calls."""

    def __init__(
        self,
        state: Path,
        port: int = 0,
        *,
        key_writes_per_second: float | None = None,
        fsync: bool = False,
        clock: Callable[[], float] = time.time,
        faults: Faults | None = None,
    ) -> None:
        """Opens `state`, or makes it; raises StateInUseError.

        `key_writes_per_second=1` refuses faster writes of one key with 429, as R2 does. `fsync=True` makes writes
        survive a power cut too. `clock` gives Unix seconds.
        """
        self._storage = Storage(state, fsync=fsync)
        self._clock = clock
        gateway = Gateway(Context(self._storage, WriteLimit(key_writes_per_second)), clock)
        self._server = AsgiServer(with_faults("r2", gateway, faults), port)
        self.control = Control(self._storage, clock)
        self.served: deque[ServedCall] = gateway.served

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        """The S3 endpoint; buckets are its first path segment."""
        return self._server.url

    async def start(self) -> None:
        """Repairs what a killed process left behind, then serves. Raises PortInUseError."""
        await asyncio.to_thread(self._repair)
        await self._server.start()

    async def stop(self) -> None:
        """Ends the server and closes the state; the object is of no use afterwards."""
        await self._server.stop()
        self._storage.close()

    def _repair(self) -> None:
        aborted = lifecycle.abort_expired_uploads(self._storage, self._clock())
        swept = self._storage.sweep()
        if aborted or swept:
            logger.info("aborted %d expired uploads, removed %d unfinished or unnamed files", aborted, swept)

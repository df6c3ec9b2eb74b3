"""The plan in front of a gRPC service: Modal's.

A lost call is a reset HTTP/2 stream: the client cannot tell whether it was handled, as after a broken connection.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from grpclib import GRPCError, Status
from grpclib.const import Handler
from grpclib.server import Stream
from modal_proto import api_pb2

from infra.localcloud.faults.injector import LOST, Faults
from infra.localcloud.faults.plan import Fault

OK = 200
KillCaller = Callable[[Mapping[str, str]], None]


class Servable(Protocol):
    def __mapping__(self) -> dict[str, Handler]: ...


class FaultyRpc:
    """Give it to `grpclib.server.Server`. `kill` ends the container that a call's metadata names."""

    def __init__(self, service: Servable, faults: Faults, kill: KillCaller) -> None:
        self._service, self._faults, self._kill = service, faults, kill

    def __mapping__(self) -> dict[str, Handler]:
        served = self._service.__mapping__()
        return {
            path: one._replace(func=self._guarded(path.rpartition("/")[2], one.func)) for path, one in served.items()
        }

    def _guarded(self, name: str, handle: Callable[[Any], Any]) -> Callable[[Stream[Any, Any]], Any]:
        async def guarded(stream: Stream[Any, Any]) -> None:
            call, fault = self._faults.begin("modal", name)
            status = LOST
            try:
                if fault is None:
                    await handle(stream)
                    status = OK
                else:
                    status = await self._meet(fault, name, stream, handle)
            except GRPCError as error:
                status = error.status.value
                raise
            finally:
                self._faults.end(call, status)

        return guarded

    async def _meet(self, fault: Fault, name: str, stream: Stream[Any, Any], handle: Callable[[Any], Any]) -> int:
        if fault.fault == "killed" and fault.latency_ms:
            asyncio.get_running_loop().call_later(fault.latency_ms / 1000, self._kill, _texts(stream.metadata))
        else:
            await asyncio.sleep(fault.latency_ms / 1000)
        if fault.fault == "killed" and not fault.latency_ms:
            self._kill(_texts(stream.metadata))
            await stream.cancel()
            return LOST
        if fault.fault in ("too_many", "server_error", "expired_token"):
            raise _refusal(fault, name)
        if fault.fault == "lost_request":
            await stream.cancel()
            return LOST
        if fault.fault == "lost_response":
            await handle(_Unheard(stream))
            await stream.cancel()
            return LOST
        await handle(stream)
        return OK


class _Unheard:
    """A stream whose answers go nowhere."""

    def __init__(self, stream: Stream[Any, Any]) -> None:
        self.metadata = stream.metadata
        self.recv_message = stream.recv_message

    async def send_message(self, message: object) -> None:
        """Not sent."""


def _refusal(fault: Fault, name: str) -> GRPCError:
    if fault.fault == "too_many":
        again = api_pb2.RPCRetryPolicy(retry_after_secs=fault.retry_after_s)
        return GRPCError(Status.RESOURCE_EXHAUSTED, f"{name}: rate limit exceeded", [again])
    if fault.fault == "expired_token":
        return GRPCError(Status.UNAUTHENTICATED, "Token ID or token secret has expired")
    return GRPCError(Status.UNAVAILABLE, f"{name}: service unavailable")


def _texts(metadata: Any) -> dict[str, str]:  # noqa: ANN401 -- grpclib's multidict
    return {key: str(value) for key, value in (metadata or {}).items()}

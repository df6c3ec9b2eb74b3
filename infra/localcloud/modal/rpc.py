"""From gRPC to the rooms: each room lists its calls in an `Rpcs` table, `Dispatcher` serves them as ModalClient.

A call that no room lists answers UNIMPLEMENTED with its name. The service is `modal.client.ModalClient`, as generated
in modal_proto of the pinned client.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from google.protobuf.message import Message
from grpclib import GRPCError, Status
from grpclib.const import Handler
from grpclib.server import Stream
from modal_proto.api_grpc import ModalClientBase

from infra.localcloud.modal.auth import Gate

# Requests are Any here: a table holds calls of many message types.
Unary = Callable[[Any], Awaitable[Message]]
Streaming = Callable[[Any], AsyncIterator[Message]]
FromContainer = Callable[[Any, str], Awaitable[Message]]


@dataclass(frozen=True)
class Rpcs:
    """Calls by name. `container` calls get the id of the container that makes them; clients may not make them."""

    unary: Mapping[str, Unary] = field(default_factory=dict)
    streams: Mapping[str, Streaming] = field(default_factory=dict)
    container: Mapping[str, FromContainer] = field(default_factory=dict)


def not_found(what: str) -> GRPCError:
    return GRPCError(Status.NOT_FOUND, what)


def unimplemented(what: str) -> GRPCError:
    return GRPCError(Status.UNIMPLEMENTED, f"{what}: the local Modal stand-in does not implement this")


class _NoMethods:
    """Lets the generated base list its calls without an implementation of each."""

    def __getattr__(self, name: str) -> None:
        return None


class Dispatcher:
    """Give it to `grpclib.server.Server`. `counts` says how often each call was made."""

    def __init__(self, gate: Gate, rooms: Sequence[Rpcs]) -> None:
        self._gate = gate
        self._calls = _merged(rooms)
        self.counts: Counter[str] = Counter()

    def __mapping__(self) -> dict[str, Handler]:
        service = ModalClientBase.__mapping__(cast(Any, _NoMethods()))
        return {path: handler._replace(func=self._serve(path.rpartition("/")[2])) for path, handler in service.items()}

    def _serve(self, name: str) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def serve(stream: Stream[Any, Any]) -> None:
            self.counts[name] += 1
            metadata = {key: str(value) for key, value in (stream.metadata or {}).items()}
            container_id = self._gate.identify(metadata)
            request = await stream.recv_message()
            if name in self._calls.unary:
                await stream.send_message(await self._calls.unary[name](request))
            elif name in self._calls.container:
                if container_id is None:
                    raise GRPCError(Status.UNAUTHENTICATED, f"{name}: only containers make this call")
                await stream.send_message(await self._calls.container[name](request, container_id))
            elif name in self._calls.streams:
                async with aclosing(cast(Any, self._calls.streams[name](request))) as messages:
                    async for message in messages:
                        await stream.send_message(message)
            else:
                raise unimplemented(name)

        return serve


def _merged(rooms: Sequence[Rpcs]) -> Rpcs:
    unary: dict[str, Unary] = {}
    streams: dict[str, Streaming] = {}
    container: dict[str, FromContainer] = {}
    for room in rooms:
        unary.update(room.unary)
        streams.update(room.streams)
        container.update(room.container)
    return Rpcs(unary, streams, container)

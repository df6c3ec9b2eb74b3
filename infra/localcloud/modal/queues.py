"""modal.Queue: FIFO partitions whose readers wait for items. Items survive a restart; partitions do not expire here.

The limits are Modal's (guide, "Dicts and queues"): 5,000 items a partition, 1 MiB an item.
"""

import time

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.names import Named, Names
from infra.localcloud.modal.rpc import Rpcs
from infra.localcloud.modal.signals import Signals
from infra.localcloud.modal.store import Row, Store

MAX_PARTITION_ITEMS = 5_000
MAX_ITEM_BYTES = 1024 * 1024
_PAGE = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queue_items (
    entry INTEGER PRIMARY KEY AUTOINCREMENT, queue_id TEXT NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    partition_key BLOB NOT NULL, value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS queue_items_by_partition ON queue_items (queue_id, partition_key, entry)
"""


class Queues:
    def __init__(self, store: Store, environments: Environments) -> None:
        self._store = store
        self._names = Names(store, environments, "Queue", "qu")
        self._signals = Signals()
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "QueueGetOrCreate": self.get_or_create,
                "QueueGetById": self.get_by_id,
                "QueueList": self.list_all,
                "QueueHeartbeat": self.heartbeat,
                "QueueDelete": self.delete,
                "QueueClear": self.clear,
                "QueuePut": self.put,
                "QueueGet": self.get,
                "QueueNextItems": self.next_items,
                "QueueLen": self.length,
            }
        )

    async def get_or_create(self, request: api_pb2.QueueGetOrCreateRequest) -> api_pb2.QueueGetOrCreateResponse:
        found = self._names.get_or_create(
            request.environment_name, request.deployment_name, request.object_creation_type
        )
        return api_pb2.QueueGetOrCreateResponse(queue_id=found.id, metadata=_metadata(found))

    async def get_by_id(self, request: api_pb2.QueueGetByIdRequest) -> api_pb2.QueueGetByIdResponse:
        found = self._names.by_id(request.queue_id)
        return api_pb2.QueueGetByIdResponse(queue_id=found.id, metadata=_metadata(found))

    async def list_all(self, request: api_pb2.QueueListRequest) -> api_pb2.QueueListResponse:
        infos = []
        for found in self._names.page(request.environment_name, request.pagination):
            ((partitions, size),) = self._store.rows(
                "SELECT count(DISTINCT partition_key), count(*) FROM queue_items WHERE queue_id = ?", found.id
            )
            infos.append(
                api_pb2.QueueListResponse.QueueInfo(
                    name=found.name,
                    queue_id=found.id,
                    created_at=found.created_at,
                    num_partitions=partitions,
                    total_size=size,
                    metadata=_metadata(found),
                )
            )
        return api_pb2.QueueListResponse(queues=infos)

    async def heartbeat(self, request: api_pb2.QueueHeartbeatRequest) -> Empty:
        self._names.heartbeat(request.queue_id)
        return Empty()

    async def delete(self, request: api_pb2.QueueDeleteRequest) -> Empty:
        self._names.delete(request.queue_id)
        return Empty()

    async def clear(self, request: api_pb2.QueueClearRequest) -> Empty:
        self._names.by_id(request.queue_id)
        if request.all_partitions:
            self._store.execute("DELETE FROM queue_items WHERE queue_id = ?", request.queue_id)
        else:
            self._store.execute(
                "DELETE FROM queue_items WHERE queue_id = ? AND partition_key = ?",
                request.queue_id,
                request.partition_key,
            )
        return Empty()

    async def put(self, request: api_pb2.QueuePutRequest) -> Empty:
        """All values or none: RESOURCE_EXHAUSTED when the partition would overflow."""
        self._names.by_id(request.queue_id)
        if any(len(value) > MAX_ITEM_BYTES for value in request.values):
            raise GRPCError(Status.INVALID_ARGUMENT, f"a queue item may have at most {MAX_ITEM_BYTES} bytes")
        held = self._count(request.queue_id, request.partition_key)
        if held + len(request.values) > MAX_PARTITION_ITEMS:
            raise GRPCError(
                Status.RESOURCE_EXHAUSTED,
                f"the partition holds {held} of at most {MAX_PARTITION_ITEMS} items; get some before putting more",
            )
        with self._store.transaction():
            for value in request.values:
                self._store.execute(
                    "INSERT INTO queue_items (queue_id, partition_key, value) VALUES (?, ?, ?)",
                    request.queue_id,
                    request.partition_key,
                    value,
                )
        self._signals.notify(request.queue_id)
        return Empty()

    async def get(self, request: api_pb2.QueueGetRequest) -> api_pb2.QueueGetResponse:
        """Removes up to `n_values`, waiting up to `timeout` seconds for the first; empty when none came."""
        rows = await self._wait_for(request.queue_id, request.partition_key, 0, request.n_values, request.timeout)
        for entry, _ in rows:
            self._store.execute("DELETE FROM queue_items WHERE entry = ?", entry)
        return api_pb2.QueueGetResponse(values=[value for _, value in rows])

    async def next_items(self, request: api_pb2.QueueNextItemsRequest) -> api_pb2.QueueNextItemsResponse:
        """Reads on after `last_entry_id` without removing."""
        after = int(request.last_entry_id or 0)
        rows = await self._wait_for(request.queue_id, request.partition_key, after, _PAGE, request.item_poll_timeout)
        return api_pb2.QueueNextItemsResponse(
            items=[api_pb2.QueueItem(value=value, entry_id=str(entry)) for entry, value in rows]
        )

    async def length(self, request: api_pb2.QueueLenRequest) -> api_pb2.QueueLenResponse:
        self._names.by_id(request.queue_id)
        return api_pb2.QueueLenResponse(
            len=self._count(request.queue_id, None if request.total else request.partition_key)
        )

    async def _wait_for(
        self, queue_id: str, partition_key: bytes, after: int, limit: int, timeout_s: float
    ) -> list[Row]:
        signal = self._signals.of(queue_id)
        deadline = time.monotonic() + timeout_s
        while True:
            self._names.by_id(queue_id)
            rows = self._store.rows(
                "SELECT entry, value FROM queue_items WHERE queue_id = ? AND partition_key = ? AND entry > ?"
                " ORDER BY entry LIMIT ?",
                queue_id,
                partition_key,
                after,
                limit,
            )
            left_s = deadline - time.monotonic()
            if rows or left_s <= 0:
                return rows
            await signal.wait(left_s)

    def _count(self, queue_id: str, partition_key: bytes | None) -> int:
        ((count,),) = self._store.rows(
            "SELECT count(*) FROM queue_items WHERE queue_id = ?1 AND (?2 IS NULL OR partition_key = ?2)",
            queue_id,
            partition_key,
        )
        return int(count)


def _metadata(found: Named) -> api_pb2.QueueMetadata:
    return api_pb2.QueueMetadata(name=found.name, creation_info=found.creation_info)

"""modal.Dict: key and value are the client's pickles, compared as bytes; everything survives a restart.

Missing: the expiry of an entry after seven idle days.
"""

from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.localcloud.modal.environments import Environments
from infra.localcloud.modal.names import Named, Names
from infra.localcloud.modal.rpc import Rpcs
from infra.localcloud.modal.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS dict_items (
    dict_id TEXT NOT NULL REFERENCES objects (id) ON DELETE CASCADE, key BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (dict_id, key)
)
"""


class Dicts:
    def __init__(self, store: Store, environments: Environments) -> None:
        self._store = store
        self._names = Names(store, environments, "Dict", "di")
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "DictGetOrCreate": self.get_or_create,
                "DictGetById": self.get_by_id,
                "DictList": self.list_all,
                "DictHeartbeat": self.heartbeat,
                "DictDelete": self.delete,
                "DictClear": self.clear,
                "DictGet": self.get,
                "DictContains": self.contains,
                "DictLen": self.length,
                "DictUpdate": self.update,
                "DictPop": self.pop,
            },
            streams={"DictContents": self.contents},
        )

    async def get_or_create(self, request: api_pb2.DictGetOrCreateRequest) -> api_pb2.DictGetOrCreateResponse:
        found = self._names.get_or_create(
            request.environment_name, request.deployment_name, request.object_creation_type
        )
        return api_pb2.DictGetOrCreateResponse(dict_id=found.id, metadata=_metadata(found))

    async def get_by_id(self, request: api_pb2.DictGetByIdRequest) -> api_pb2.DictGetByIdResponse:
        found = self._names.by_id(request.dict_id)
        return api_pb2.DictGetByIdResponse(dict_id=found.id, metadata=_metadata(found))

    async def list_all(self, request: api_pb2.DictListRequest) -> api_pb2.DictListResponse:
        return api_pb2.DictListResponse(
            dicts=[
                api_pb2.DictListResponse.DictInfo(
                    name=found.name, dict_id=found.id, created_at=found.created_at, metadata=_metadata(found)
                )
                for found in self._names.page(request.environment_name, request.pagination)
            ]
        )

    async def heartbeat(self, request: api_pb2.DictHeartbeatRequest) -> Empty:
        self._names.heartbeat(request.dict_id)
        return Empty()

    async def delete(self, request: api_pb2.DictDeleteRequest) -> Empty:
        self._names.delete(request.dict_id)
        return Empty()

    async def clear(self, request: api_pb2.DictClearRequest) -> Empty:
        self._names.by_id(request.dict_id)
        self._store.execute("DELETE FROM dict_items WHERE dict_id = ?", request.dict_id)
        return Empty()

    async def get(self, request: api_pb2.DictGetRequest) -> api_pb2.DictGetResponse:
        value = self._value(request.dict_id, request.key)
        return api_pb2.DictGetResponse(found=value is not None, value=value)

    async def contains(self, request: api_pb2.DictContainsRequest) -> api_pb2.DictContainsResponse:
        return api_pb2.DictContainsResponse(found=self._value(request.dict_id, request.key) is not None)

    async def length(self, request: api_pb2.DictLenRequest) -> api_pb2.DictLenResponse:
        self._names.by_id(request.dict_id)
        ((count,),) = self._store.rows("SELECT count(*) FROM dict_items WHERE dict_id = ?", request.dict_id)
        return api_pb2.DictLenResponse(len=count)

    async def update(self, request: api_pb2.DictUpdateRequest) -> api_pb2.DictUpdateResponse:
        """`created` is False when `if_not_exists` kept an older value."""
        self._names.by_id(request.dict_id)
        verb = "INSERT OR IGNORE" if request.if_not_exists else "INSERT OR REPLACE"
        written = 0
        with self._store.transaction():
            for entry in request.updates:
                written += self._store.execute(
                    f"{verb} INTO dict_items VALUES (?, ?, ?)", request.dict_id, entry.key, entry.value
                )
        return api_pb2.DictUpdateResponse(created=written == len(request.updates))

    async def pop(self, request: api_pb2.DictPopRequest) -> api_pb2.DictPopResponse:
        value = self._value(request.dict_id, request.key)
        self._store.execute("DELETE FROM dict_items WHERE dict_id = ? AND key = ?", request.dict_id, request.key)
        return api_pb2.DictPopResponse(found=value is not None, value=value)

    async def contents(self, request: api_pb2.DictContentsRequest) -> AsyncIterator[api_pb2.DictEntry]:
        self._names.by_id(request.dict_id)
        rows = self._store.rows("SELECT key, value FROM dict_items WHERE dict_id = ?", request.dict_id)
        for key, value in rows:
            yield api_pb2.DictEntry(
                key=key if request.keys else b"",
                value=value if request.values else b"",
            )

    def _value(self, dict_id: str, key: bytes) -> bytes | None:
        self._names.by_id(dict_id)
        row = self._store.row("SELECT value FROM dict_items WHERE dict_id = ? AND key = ?", dict_id, key)
        return row[0] if row else None


def _metadata(found: Named) -> api_pb2.DictMetadata:
    return api_pb2.DictMetadata(name=found.name, creation_info=found.creation_info)

"""Function definitions: what `FunctionCreate` uploads. A definition takes effect when its app is published with it.

Definitions that the stand-in could only pretend to honour are refused, see `_REFUSED`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from modal_proto import api_pb2

from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.rpc import Rpcs, not_found, unimplemented
from infra.localcloud.modal.store import Store

# Modal's own defaults.
DEFAULT_SCALEDOWN_S = 60
DEFAULT_TIMEOUT_S = 300
# Containers of one function that this one machine gives at most, however many the function may have.
MACHINE_LIMIT = 4
# Arguments and results above this go through blobs (modal._utils.blob_utils, MAX_OBJECT_SIZE_BYTES).
MAX_OBJECT_BYTES = 2 * 1024 * 1024

_REFUSED: dict[str, Callable[[api_pb2.Function], bool]] = {
    "web endpoints": lambda function: bool(function.webhook_config.type),
    "servers": lambda function: function.is_server,
    "classes": lambda function: function.is_class,
    "schedules": lambda function: function.HasField("schedule"),
    "batched functions": lambda function: function.batch_max_size > 0,
    "clustered functions": lambda function: function._experimental_group_size > 0,
    "volumes": lambda function: bool(function.volume_mounts),
    "cloud bucket mounts": lambda function: bool(function.cloud_bucket_mounts),
    "network file systems": lambda function: bool(function.shared_volume_mounts),
    "block_network": lambda function: function.block_network,
    "restrict_modal_access": lambda function: function.untrusted,
}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS definitions (
    id TEXT PRIMARY KEY, function_id TEXT NOT NULL, app_id TEXT NOT NULL, function BLOB NOT NULL, data BLOB NOT NULL
)
"""


@dataclass(frozen=True)
class Definition:
    """One version of a function; a container runs exactly one."""

    id: str
    function_id: str
    app_id: str
    function: api_pb2.Function
    data: api_pb2.FunctionData

    @property
    def name(self) -> str:
        return self.function.function_name

    @property
    def capacity(self) -> int:
        """Inputs that one container runs at once."""
        return self.function.max_concurrent_inputs or 1

    @property
    def min_containers(self) -> int:
        return self.function.autoscaler_settings.min_containers

    @property
    def max_containers(self) -> int:
        allowed = self.function.autoscaler_settings.max_containers or MACHINE_LIMIT
        return min(allowed, max(MACHINE_LIMIT, self.min_containers))

    @property
    def scaledown_s(self) -> float:
        return float(self.function.autoscaler_settings.scaledown_window or DEFAULT_SCALEDOWN_S)

    @property
    def timeout_s(self) -> float:
        return float(self.function.timeout_secs or DEFAULT_TIMEOUT_S)

    @property
    def startup_timeout_s(self) -> float:
        return float(self.function.startup_timeout_secs or self.timeout_s)

    def metadata(self) -> api_pb2.FunctionHandleMetadata:
        return api_pb2.FunctionHandleMetadata(
            function_name=self.function.function_name,
            function_type=self.function.function_type,
            function_schema=self.function.function_schema,
            supported_input_formats=self.function.supported_input_formats,
            supported_output_formats=self.function.supported_output_formats,
            app_id=self.app_id,
            definition_id=self.id,
            max_object_size_bytes=MAX_OBJECT_BYTES,
        )


class Functions:
    def __init__(self, store: Store, mounts: Mounts) -> None:
        self._store = store
        self._mounts = mounts
        self._read: dict[str, Definition] = {}
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(unary={"FunctionPrecreate": self.precreate, "FunctionCreate": self.create})

    def definition(self, definition_id: str) -> Definition:
        if definition_id not in self._read:
            row = self._store.row(
                "SELECT id, function_id, app_id, function, data FROM definitions WHERE id = ?", definition_id
            )
            if row is None:
                raise not_found(f"function definition {definition_id!r} not found; deploy the app again")
            function, data = api_pb2.Function.FromString(row[3]), api_pb2.FunctionData.FromString(row[4])
            self._read[definition_id] = Definition(row[0], row[1], row[2], function, data)
        return self._read[definition_id]

    async def precreate(self, request: api_pb2.FunctionPrecreateRequest) -> api_pb2.FunctionPrecreateResponse:
        """Gives a function its id, so that others can refer to it before it is created."""
        metadata = api_pb2.FunctionHandleMetadata(
            function_name=request.function_name,
            function_type=request.function_type,
            function_schema=request.function_schema,
            supported_input_formats=request.supported_input_formats,
            supported_output_formats=request.supported_output_formats,
            app_id=request.app_id,
        )
        return api_pb2.FunctionPrecreateResponse(
            function_id=request.existing_function_id or new_id("fu"), handle_metadata=metadata
        )

    async def create(self, request: api_pb2.FunctionCreateRequest) -> api_pb2.FunctionCreateResponse:
        """With `gpu=[...]` the client sends one complete function per GPU; the first choice counts."""
        if request.function_data.ranked_functions:
            data, function = request.function_data, request.function_data.ranked_functions[0].function
        else:
            function = request.function
            data = _as_data(function)
        for what, is_used in _REFUSED.items():
            if is_used(function):
                raise unimplemented(f"FunctionCreate: {what} (function {function.function_name})")
        for mount_id in function.mount_ids:
            self._mounts.check_for_containers(mount_id)
        definition = Definition(
            new_id("de"), request.existing_function_id or new_id("fu"), request.app_id, function, data
        )
        self._store.execute(
            "INSERT INTO definitions VALUES (?, ?, ?, ?, ?)",
            definition.id,
            definition.function_id,
            definition.app_id,
            function.SerializeToString(),
            data.SerializeToString(),
        )
        return api_pb2.FunctionCreateResponse(
            function_id=definition.function_id,
            function=function,
            function_data=data,
            handle_metadata=definition.metadata(),
        )


def _as_data(function: api_pb2.Function) -> api_pb2.FunctionData:
    """The same function as FunctionData, which clients from 1.6 on read from every answer."""
    data = api_pb2.FunctionData(ranked_functions=[api_pb2.FunctionData.RankedFunction(rank=0, function=function)])
    shared = api_pb2.FunctionData.DESCRIPTOR.fields_by_name
    for field, value in function.ListFields():
        if field.name not in shared:
            continue
        if field.message_type is None and not isinstance(value, (str, bytes, int, float)):
            getattr(data, field.name).extend(value)
        elif field.message_type is None:
            setattr(data, field.name, value)
        else:
            getattr(data, field.name).MergeFrom(value)
    return data

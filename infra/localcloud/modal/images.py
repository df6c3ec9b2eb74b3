"""Images: recorded, never built. Containers run on the stand-in's own Python with whatever is installed there.

Of an image's definition the containers get its `ENV` lines. What would change code or files is refused: functions run
at build time, and local files copied into a layer.
"""

import hashlib
import shlex
from collections.abc import AsyncIterator

from modal_proto import api_pb2

from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.rpc import Rpcs, not_found, unimplemented
from infra.localcloud.modal.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS images (id TEXT PRIMARY KEY, definition BLOB NOT NULL, builder TEXT NOT NULL)"


class Images:
    def __init__(self, store: Store, mounts: Mounts) -> None:
        self._store = store
        self._mounts = mounts
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={"ImageGetOrCreate": self.get_or_create},
            streams={"ImageJoinStreaming": self.join},
        )

    async def get_or_create(self, request: api_pb2.ImageGetOrCreateRequest) -> api_pb2.ImageGetOrCreateResponse:
        definition = request.image
        if definition.HasField("build_function"):
            raise unimplemented("ImageGetOrCreate: Image.run_function")
        if definition.context_mount_id and not self._mounts.is_empty(definition.context_mount_id):
            raise unimplemented("ImageGetOrCreate: local files with copy=True (use copy=False)")
        data = definition.SerializeToString(deterministic=True)
        image_id = f"im-{hashlib.sha256(data).hexdigest()[:22]}"
        self._store.execute("INSERT OR REPLACE INTO images VALUES (?, ?, ?)", image_id, data, request.builder_version)
        return api_pb2.ImageGetOrCreateResponse(
            image_id=image_id, result=_built(), metadata=_metadata(request.builder_version)
        )

    async def join(
        self, request: api_pb2.ImageJoinStreamingRequest
    ) -> AsyncIterator[api_pb2.ImageJoinStreamingResponse]:
        _, builder = self._find(request.image_id)
        yield api_pb2.ImageJoinStreamingResponse(result=_built(), metadata=_metadata(builder), eof=True)

    def environment(self, image_id: str) -> dict[str, str]:
        """The variables of the image's `ENV` lines, base images first; none for an empty id."""
        if not image_id:
            return {}
        definition, _ = self._find(image_id)
        variables: dict[str, str] = {}
        for base in definition.base_images:
            variables |= self.environment(base.image_id)
        for command in definition.dockerfile_commands:
            verb, _, assignments = command.strip().partition(" ")
            if verb.upper() == "ENV":
                variables |= dict(pair.split("=", 1) for pair in shlex.split(assignments) if "=" in pair)
        return variables

    def _find(self, image_id: str) -> tuple[api_pb2.Image, str]:
        row = self._store.row("SELECT definition, builder FROM images WHERE id = ?", image_id)
        if row is None:
            raise not_found(f"Image {image_id!r} not found; deploy the app again")
        return api_pb2.Image.FromString(row[0]), row[1]


def _built() -> api_pb2.GenericResult:
    return api_pb2.GenericResult(status=api_pb2.GenericResult.GENERIC_STATUS_SUCCESS)


def _metadata(builder: str) -> api_pb2.ImageMetadata:
    return api_pb2.ImageMetadata(image_builder_version=builder)

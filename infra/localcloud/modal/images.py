"""Images: a definition is one layer on a base. Layers that change files are built, once, into a folder of their own.

Containers run on the stand-in's own Python; of their image they get its folder's `/root` on PYTHONPATH and its `ENV`
variables, of which those that are paths in the image lead into its folder. `layers` and `builds` say what a layer does.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

from modal_proto import api_pb2

from infra.localcloud.modal import layers
from infra.localcloud.modal.builds import Build, BuildError, Layer, Source, build
from infra.localcloud.modal.mounts import Mounts
from infra.localcloud.modal.rpc import Rpcs, not_found, unimplemented
from infra.localcloud.modal.store import Store

_SCHEMA = "CREATE TABLE IF NOT EXISTS images (id TEXT PRIMARY KEY, definition BLOB NOT NULL, builder TEXT NOT NULL)"
# How often a running build's log is looked at.
_LOG_POLL_S = 0.2


class Images:
    """`folder` has an image's files in a folder with its id, and each build's log beside it."""

    def __init__(self, store: Store, mounts: Mounts, folder: Path, python: Path) -> None:
        self._store = store
        self._mounts = mounts
        self._folder = folder
        self._python = python
        self._builds: dict[str, Build] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True)
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={"ImageGetOrCreate": self.get_or_create},
            streams={"ImageJoinStreaming": self.join},
        )

    async def stop(self) -> None:
        """Ends the builds that are running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def get_or_create(self, request: api_pb2.ImageGetOrCreateRequest) -> api_pb2.ImageGetOrCreateResponse:
        """Without a result while it is built: the client follows the build by `join`."""
        definition, steps = request.image, self._checked(request.image)
        data = definition.SerializeToString(deterministic=True)
        image_id = f"im-{hashlib.sha256(data).hexdigest()[:22]}"
        running = self._builds.get(image_id)
        if running is not None and running.result is None:
            return api_pb2.ImageGetOrCreateResponse(image_id=image_id)
        if layers.changes_files(steps) and not self._is_built(image_id):
            self._start(image_id, steps, definition, request.builder_version)
            return api_pb2.ImageGetOrCreateResponse(image_id=image_id)
        self._remember(image_id, data, request.builder_version)
        return api_pb2.ImageGetOrCreateResponse(
            image_id=image_id, result=_built(), metadata=_metadata(request.builder_version)
        )

    async def join(
        self, request: api_pb2.ImageJoinStreamingRequest
    ) -> AsyncIterator[api_pb2.ImageJoinStreamingResponse]:
        """The build's log from `last_entry_id` on, then its result; without a result after `timeout`."""
        running = self._builds.get(request.image_id)
        position, deadline = int(request.last_entry_id or 0), time.monotonic() + request.timeout
        while running is not None:
            is_last = running.result is not None
            text, position = running.read(position)
            if text:
                line = api_pb2.TaskLogs(data=text, file_descriptor=api_pb2.FILE_DESCRIPTOR_STDOUT)
                yield api_pb2.ImageJoinStreamingResponse(task_logs=[line], entry_id=str(position))
            elif is_last:
                break
            elif time.monotonic() > deadline:
                return
            else:
                await running.ended.wait(_LOG_POLL_S)
        if running is not None and running.result != _built():
            yield api_pb2.ImageJoinStreamingResponse(result=running.result, eof=True)
        else:
            _, builder = self._find(request.image_id)
            yield api_pb2.ImageJoinStreamingResponse(result=_built(), metadata=_metadata(builder), eof=True)

    def environment(self, image_id: str) -> dict[str, str]:
        """The variables of the image's `ENV` lines, base images first; none for an empty id."""
        variables = self._variables(image_id)
        folder = self.folder(image_id)
        return layers.variables_in(folder, variables) if folder else variables

    def folder(self, image_id: str) -> Path | None:
        """What stands for `/` of the image; None for one without files of its own."""
        if not image_id:
            return None
        own = self._folder / image_id
        if own.is_dir():
            return own
        definition, _ = self._find(image_id)
        return next((folder for base in definition.base_images if (folder := self.folder(base.image_id))), None)

    def _checked(self, definition: api_pb2.Image) -> list[layers.Step]:
        """Raises UNIMPLEMENTED for a layer that cannot be built here."""
        if definition.HasField("build_function"):
            raise unimplemented("ImageGetOrCreate: Image.run_function")
        steps = layers.steps(definition)
        has_files = definition.context_mount_id and not self._mounts.is_empty(definition.context_mount_id)
        if has_files and not definition.base_images:
            raise unimplemented("ImageGetOrCreate: local files in a layer without a base (Image.from_dockerfile)")
        if layers.changes_files(steps):
            if definition.secret_ids or definition.volume_mounts:
                raise unimplemented("ImageGetOrCreate: secrets and volumes of a build")
            if not re.fullmatch(r"[\w./-]+", str(self._folder)):
                raise unimplemented(f"ImageGetOrCreate: commands below the folder {self._folder}")
        return steps

    def _is_built(self, image_id: str) -> bool:
        """A folder without an entry is what a build left that died with its stand-in."""
        known = self._store.row("SELECT id FROM images WHERE id = ?", image_id)
        return known is not None and (self._folder / image_id).is_dir()

    def _start(self, image_id: str, steps: list[layers.Step], definition: api_pb2.Image, builder: str) -> None:
        building = self._builds[image_id] = Build(self._folder / f"{image_id}.log")
        building.log.write_bytes(b"")
        copied = api_pb2.Image()
        copied.CopyFrom(definition)
        task = asyncio.create_task(self._build(building, image_id, steps, copied, builder))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: building.give_up())

    async def _build(
        self, building: Build, image_id: str, steps: list[layers.Step], definition: api_pb2.Image, builder: str
    ) -> None:
        [base] = [base.image_id for base in definition.base_images]
        layer = Layer(steps, self._context(definition), self._variables(base))
        try:
            await build(self._python, self.folder(base), self._folder / image_id, layer, building.log)
            self._remember(image_id, definition.SerializeToString(deterministic=True), builder)
            building.finish(_built())
        except BuildError as error:
            failed = api_pb2.GenericResult.GENERIC_STATUS_FAILURE
            building.finish(api_pb2.GenericResult(status=failed, exception=str(error)))

    def _context(self, definition: api_pb2.Image) -> dict[str, Source]:
        files: dict[str, Source] = {file.filename: (file.data, 0o644) for file in definition.context_files}
        if definition.context_mount_id:
            files |= self._mounts.contents(definition.context_mount_id)
        return files

    def _variables(self, image_id: str) -> dict[str, str]:
        if not image_id:
            return {}
        definition, _ = self._find(image_id)
        found: dict[str, str] = {}
        for base in definition.base_images:
            found |= self._variables(base.image_id)
        return found | layers.variables(definition)

    def _remember(self, image_id: str, definition: bytes, builder: str) -> None:
        self._store.execute("INSERT OR REPLACE INTO images VALUES (?, ?, ?)", image_id, definition, builder)

    def _find(self, image_id: str) -> tuple[api_pb2.Image, str]:
        row = self._store.row("SELECT definition, builder FROM images WHERE id = ?", image_id)
        if row is None:
            raise not_found(f"Image {image_id!r} not found; deploy the app again")
        return api_pb2.Image.FromString(row[0]), row[1]


def _built() -> api_pb2.GenericResult:
    return api_pb2.GenericResult(status=api_pb2.GenericResult.GENERIC_STATUS_SUCCESS)


def _metadata(builder: str) -> api_pb2.ImageMetadata:
    return api_pb2.ImageMetadata(image_builder_version=builder)

"""Mounts: the source files that a deploy uploads, stored by SHA-256, and the folders made of them for containers.

A container sees a mount's `/root/…` through PYTHONPATH, not at that absolute path; files outside `/root` are refused
there, and may be copied into an image.
Mounts of the global namespace (the client, standalone Pythons) are empty: the containers' Python has what they carry.
"""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from grpclib import GRPCError, Status
from modal_proto import api_pb2

from infra.localcloud.modal.blobs import Blobs
from infra.localcloud.modal.rpc import Rpcs, not_found, unimplemented
from infra.localcloud.modal.store import Store

ROOT = PurePosixPath("/root")

_SCHEMA = "CREATE TABLE IF NOT EXISTS mounts (id TEXT PRIMARY KEY, request BLOB NOT NULL)"


class Mounts:
    def __init__(self, store: Store, blobs: Blobs, folder: Path) -> None:
        self._store = store
        self._blobs = blobs
        self._files = folder / "files"
        self._trees = folder / "trees"
        self._files.mkdir(parents=True, exist_ok=True)
        self._trees.mkdir(parents=True, exist_ok=True)
        store.create(_SCHEMA)

    def rpcs(self) -> Rpcs:
        return Rpcs(
            unary={
                "MountBatchedCheckExistence": self.check_existence,
                "MountPutFile": self.put_file,
                "MountGetOrCreate": self.get_or_create,
            }
        )

    async def check_existence(
        self, request: api_pb2.MountBatchedCheckExistenceRequest
    ) -> api_pb2.MountBatchedCheckExistenceResponse:
        missing = [digest for digest in request.sha256_hex_hashes if not self._file(digest).is_file()]
        return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    async def put_file(self, request: api_pb2.MountPutFileRequest) -> api_pb2.MountPutFileResponse:
        """Raises INVALID_ARGUMENT when the bytes do not have the given SHA-256."""
        by_blob = request.WhichOneof("data_oneof") == "data_blob_id"
        data = self._blobs.path(request.data_blob_id).read_bytes() if by_blob else request.data
        digest = hashlib.sha256(data).hexdigest()
        if digest != request.sha256_hex:
            raise GRPCError(Status.INVALID_ARGUMENT, f"the file has SHA-256 {digest}, not {request.sha256_hex}")
        part = self._files / f"{digest}.part"
        part.write_bytes(data)
        part.replace(self._file(digest))
        return api_pb2.MountPutFileResponse(exists=True)

    async def get_or_create(self, request: api_pb2.MountGetOrCreateRequest) -> api_pb2.MountGetOrCreateResponse:
        """A mount's id is the digest of its content, so the same sources give the same mount."""
        if request.deployment_name and request.namespace != api_pb2.DEPLOYMENT_NAMESPACE_GLOBAL:
            raise not_found(f"Mount {request.deployment_name!r} not found")
        listing = sorted((file.filename, file.sha256_hex, file.mode) for file in request.files)
        checksum = hashlib.sha256(repr((request.deployment_name, listing)).encode()).hexdigest()
        mount_id = f"mo-{checksum[:22]}"
        self._store.execute("INSERT OR IGNORE INTO mounts VALUES (?, ?)", mount_id, request.SerializeToString())
        return api_pb2.MountGetOrCreateResponse(mount_id=mount_id, handle_metadata=self.metadata(mount_id))

    def metadata(self, mount_id: str) -> api_pb2.MountHandleMetadata:
        return api_pb2.MountHandleMetadata(content_checksum_sha256_hex=hashlib.sha256(mount_id.encode()).hexdigest())

    def is_empty(self, mount_id: str) -> bool:
        return not self._listing(mount_id)

    def contents(self, mount_id: str) -> dict[str, tuple[Path, int]]:
        """Absolute path -> the stored file and its mode."""
        return {file.filename: (self._file(file.sha256_hex), file.mode) for file in self._listing(mount_id)}

    def check_for_containers(self, mount_id: str) -> None:
        """Raises UNIMPLEMENTED for a mount that a container could not see."""
        for file in self._listing(mount_id):
            if not PurePosixPath(file.filename).is_relative_to(ROOT):
                raise unimplemented(f"FunctionCreate: a file outside {ROOT} ({file.filename}) without copy=True")

    async def tree(self, mount_ids: Iterable[str]) -> Path:
        """The folder that stands for `/root`, with the files of all these mounts; made once, shared by containers.

        It is a copy, so that code which writes beside its sources changes no stored file, and its bytecode stays
        cached from one container to the next.
        """
        files = {file.filename: file for mount_id in sorted(set(mount_ids)) for file in self._listing(mount_id)}
        listing = sorted((name, file.sha256_hex, file.mode) for name, file in files.items())
        tree = self._trees / hashlib.sha256(repr(listing).encode()).hexdigest()[:22]
        if not tree.is_dir():
            await asyncio.to_thread(self._build, tree, files.values())
        return tree

    def _build(self, tree: Path, files: Iterable[api_pb2.MountFile]) -> None:
        building = Path(tempfile.mkdtemp(dir=self._trees, prefix="building-"))
        for file in files:
            target = building / PurePosixPath(file.filename).relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._file(file.sha256_hex), target)
            target.chmod(file.mode or 0o644)
        try:
            building.rename(tree)
        except OSError:
            # Another container built the same tree meanwhile.
            shutil.rmtree(building)
            if not tree.is_dir():
                raise

    def _listing(self, mount_id: str) -> list[api_pb2.MountFile]:
        row = self._store.row("SELECT request FROM mounts WHERE id = ?", mount_id)
        if row is None:
            raise not_found(f"Mount {mount_id!r} not found; deploy the app again")
        return list(api_pb2.MountGetOrCreateRequest.FromString(row[0]).files)

    def _file(self, digest: str) -> Path:
        return self._files / Path(digest).name

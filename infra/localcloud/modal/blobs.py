"""Blobs: arguments, results and files too big for gRPC, put and got over HTTP at unguessable URLs.

A blob is a file that appears whole or not at all; it is dropped when nothing used it for `KEEP_S` before a start.
"""

import base64
import hashlib
import time
from pathlib import Path

from modal_proto import api_pb2
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.localcloud.modal.ids import new_id
from infra.localcloud.modal.rpc import Rpcs, not_found

KEEP_S = 7 * 24 * 3600.0


class Blobs:
    """`base_url` is set once the HTTP port is known."""

    base_url = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._announced: dict[str, api_pb2.BlobCreateRequest] = {}
        for blob in folder.iterdir():
            if blob.suffix == ".part" or blob.stat().st_mtime < time.time() - KEEP_S:
                blob.unlink()

    def rpcs(self) -> Rpcs:
        return Rpcs(unary={"BlobCreate": self.create, "BlobGet": self.get})

    def routes(self) -> list[Route]:
        return [
            Route("/blobs/{blob_id}", self._upload, methods=["PUT"]),
            Route("/blobs/{blob_id}", self._download, methods=["GET"]),
        ]

    def path(self, blob_id: str) -> Path:
        """Raises NOT_FOUND for a blob that was never uploaded or has been dropped."""
        path = self._folder / Path(blob_id).name
        if not path.is_file():
            raise not_found(f"blob {blob_id!r} not found; upload it again")
        return path

    async def create(self, request: api_pb2.BlobCreateRequest) -> api_pb2.BlobCreateResponse:
        blob_id = new_id("bl")
        self._announced[blob_id] = request
        urls = api_pb2.UploadUrlList(items=[f"{self.base_url}/blobs/{blob_id}"])
        return api_pb2.BlobCreateResponse(blob_ids=[blob_id], upload_urls=urls)

    async def get(self, request: api_pb2.BlobGetRequest) -> api_pb2.BlobGetResponse:
        self.path(request.blob_id)
        return api_pb2.BlobGetResponse(download_url=f"{self.base_url}/blobs/{request.blob_id}")

    async def _upload(self, request: Request) -> Response:
        """Answers with the MD5 as ETag, which the client compares, and refuses bytes other than the announced ones."""
        blob_id = request.path_params["blob_id"]
        announced = self._announced.get(blob_id)
        if announced is None:
            return PlainTextResponse(f"no upload of {blob_id} was announced by BlobCreate", 404)
        part = self._folder / f"{blob_id}.part"
        digest, size = hashlib.md5(usedforsecurity=False), 0
        with part.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        if size != announced.content_length or base64.b64encode(digest.digest()).decode() != announced.content_md5:
            part.unlink()
            return PlainTextResponse("The Content-MD5 you specified did not match what we received.", 400)
        part.replace(self._folder / blob_id)
        del self._announced[blob_id]
        return Response(headers={"ETag": f'"{digest.hexdigest()}"'})

    async def _download(self, request: Request) -> Response:
        path = self._folder / Path(request.path_params["blob_id"]).name
        if not path.is_file():
            return PlainTextResponse("no such blob", 404)
        return FileResponse(path)

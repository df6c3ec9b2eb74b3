"""Uploaded files by content hash: wrangler asks which are missing, uploads those, and touches all of them.

A hash is 32 hex digits of BLAKE3 over the content in base64 and the extension (wrangler `hashFile`); it is trusted, not
recomputed. Files are never removed.
"""

import asyncio
import base64
import binascii
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.localcloud.cloudflare.envelope import CloudflareError, json_body, ok
from infra.localcloud.cloudflare.store import Kind, Store

MOST_BYTES = 25 * 1024 * 1024
_HASH = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Upload:
    key: str
    content_type: str
    data: bytes


class Assets:
    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def routes(self) -> list[Route]:
        return [
            Route("/pages/assets/check-missing", self.check_missing, methods=["POST"]),
            Route("/pages/assets/upload", self.upload, methods=["POST"]),
            Route("/pages/assets/upsert-hashes", self.upsert_hashes, methods=["POST"]),
        ]

    def has(self, key: str) -> bool:
        return self._store.has(Kind.ASSET, key)

    def content_type(self, key: str) -> str:
        asset = self._store.get(Kind.ASSET, key)
        if asset is None:
            raise KeyError(f"asset {key} was never uploaded")
        return str(asset["content_type"])

    def path(self, key: str) -> Path:
        """Where the content of an uploaded asset lies."""
        return self._folder / key[:2] / key

    async def check_missing(self, request: Request) -> Response:
        return ok([key for key in _hashes(await json_body(request)) if not self.has(key)])

    async def upload(self, request: Request) -> Response:
        """All of a batch is checked before any of it is kept."""
        body = await request.body()
        uploads = await asyncio.to_thread(self._keep_files, body)
        with self._store.together():
            for upload in uploads:
                self._store.put(Kind.ASSET, upload.key, {"content_type": upload.content_type})
        return ok({"successful_key_count": len(uploads), "unsuccessful_keys": []})

    async def upsert_hashes(self, request: Request) -> Response:
        _hashes(await json_body(request))
        return ok(None)

    def _keep_files(self, body: bytes) -> list[Upload]:
        uploads = _uploads(body)
        for upload in uploads:
            _write(self.path(upload.key), upload.data)
        return uploads


def _invalid(message: str) -> CloudflareError:
    return CloudflareError(400, 8000014, f"The asset upload is not valid: {message}")


def _hashes(body: dict[str, Any]) -> list[str]:
    hashes = body.get("hashes")
    if not isinstance(hashes, list):
        raise _invalid("hashes is no list")
    return [_hash(key) for key in hashes]


def _hash(key: object) -> str:
    if not isinstance(key, str) or not _HASH.fullmatch(key):
        raise _invalid(f"{key!r} is no asset hash; it has 32 hex digits")
    return key


def _uploads(body: bytes) -> list[Upload]:
    try:
        given = json.loads(body)
    except ValueError as error:
        raise CloudflareError(400, 6007, "Malformed JSON in request body") from error
    if not isinstance(given, list):
        raise _invalid("the body is no list of files")
    return [_upload(file) for file in given]


def _upload(file: Any) -> Upload:  # noqa: ANN401 -- JSON from outside, checked here
    if not isinstance(file, dict) or not isinstance(file.get("metadata"), dict) or file.get("base64") is not True:
        raise _invalid("a file needs a key, a value in base64 and metadata")
    key = _hash(file.get("key"))
    try:
        data = base64.b64decode(file.get("value", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise _invalid(f"the value of {key} is not base64") from error
    if len(data) > MOST_BYTES:
        raise CloudflareError(413, 8000014, f"asset {key} has {len(data)} bytes; Pages takes at most {MOST_BYTES}")
    return Upload(key, str(file["metadata"].get("contentType") or "application/octet-stream"), data)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

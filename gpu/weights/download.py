"""Downloads one file: hashed while it streams, under a temporary name until it is known to be the right one.

Redirects are followed, as release pages and hubs answer with them, but never to an address without encryption.
"""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, NamedTuple

from gpu.weights.lock import Weight, WeightsError, check_address

TIMEOUT_SECONDS = 60.0
LARGEST_BYTES = 4 << 30
"""Of a file whose size nobody has measured yet."""
_BLOCK_BYTES = 1 << 20


class Content(NamedTuple):
    """What a file is. `md5` is for comparing with publishers who give no better hash."""

    sha256: str
    md5: str
    bytes: int


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        request: urllib.request.Request,
        answer: IO[bytes],
        code: int,
        message: str,
        headers: http.client.HTTPMessage,
        url: str,
    ) -> urllib.request.Request | None:
        check_address(url)
        return super().redirect_request(request, answer, code, message, headers, url)


def download(weight: Weight, target: Path) -> Content:
    """Stores the file at `target` if it has the size and the hash of its entry, where that has them.

    Raises WeightsError; nothing is at `target` then that was not there before.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        content = _stream(weight, partial)
        _compare(weight, content)
        partial.replace(target)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = f"status {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
        raise WeightsError(f"{weight.name} could not be downloaded: {reason}") from error
    finally:
        partial.unlink(missing_ok=True)
    return content


def content_of(path: Path) -> Content:
    """Raises OSError."""
    digest = _Digest()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.add(block)
    return digest.content


class _Digest:
    def __init__(self) -> None:
        self._sha256, self._md5, self.bytes = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0

    def add(self, block: bytes) -> None:
        self._sha256.update(block)
        self._md5.update(block)
        self.bytes += len(block)

    @property
    def content(self) -> Content:
        return Content(self._sha256.hexdigest(), self._md5.hexdigest(), self.bytes)


def _stream(weight: Weight, path: Path) -> Content:
    """Reads no byte more than it needs to know that the file is too large."""
    most = weight.bytes or LARGEST_BYTES
    digest = _Digest()
    opener = urllib.request.build_opener(_Redirects())
    with opener.open(weight.url, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as file:
        promised = answer.headers.get("Content-Length")
        if promised is None:
            raise WeightsError(f"{weight.name}: the server does not tell the size, so a cut could go unnoticed")
        if int(promised) > most or (weight.bytes is not None and int(promised) != weight.bytes):
            raise WeightsError(
                f"{weight.name} has {promised} bytes at its source, not {weight.bytes or f'up to {most}'}"
            )
        while block := answer.read(_BLOCK_BYTES):
            digest.add(block)
            file.write(block)
    if digest.bytes != int(promised):
        raise WeightsError(f"{weight.name} was cut off after {digest.bytes} of {promised} bytes; try again")
    return digest.content


def _compare(weight: Weight, content: Content) -> None:
    if weight.sha256 is not None and content.sha256 != weight.sha256:
        raise WeightsError(
            f"{weight.name} is not the locked file: its sha256 is {content.sha256}, the lock has {weight.sha256}"
        )
    if weight.upstream_md5 is not None and content.md5 != weight.upstream_md5:
        raise WeightsError(
            f"{weight.name} is not the published file: its md5 is {content.md5}, the publisher's {weight.upstream_md5}"
        )

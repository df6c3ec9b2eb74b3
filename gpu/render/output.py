"""Publishes a finished file: to a presigned URL, or by a rename into place. Never a part of one."""

import hashlib
from pathlib import Path

from gpu.render.errors import MediaFailure
from gpu.render.transport import HttpClient, Response


def upload(path: Path, url: str, content_type: str) -> None:
    """PUTs the file under the type that the URL is signed for. The same call again writes the same object.

    Raises MediaFailure `output_refused`.
    """
    client = HttpClient(url, "output_refused")
    headers = {"Content-Type": content_type, "Content-Length": str(path.stat().st_size)}

    def attempt() -> Response:
        with path.open("rb") as body:
            return client.call("PUT", headers, body)

    try:
        response = client.retrying("storing the result", attempt)
    finally:
        client.abort()
    if response.status not in (200, 201, 204):
        reason = "the address has expired or is not signed for this" if response.status in (401, 403) else "refused"
        raise MediaFailure("output_refused", f"{client.host} answered {response.status} to the result: {reason}")


def move_into_place(path: Path, target: Path) -> None:
    """Replaces `target` in one step; both must be on one file system."""
    path.replace(target)


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

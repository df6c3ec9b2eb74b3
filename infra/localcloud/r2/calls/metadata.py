"""An object's headers: taken from a write, given back on a read."""

from collections.abc import Mapping
from email.utils import formatdate

from infra.localcloud.r2 import errors
from infra.localcloud.r2.http import Request
from infra.localcloud.r2.store.objects import StoredObject

MAX_USER_METADATA = 8192
_SYSTEM = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_OVERRIDES = {f"response-{name}": name for name in _SYSTEM}
_USER = "x-amz-meta-"


def to_store(request: Request) -> dict[str, str]:
    """Raises MetadataTooLarge."""
    headers = {name: request.headers[name] for name in _SYSTEM if name in request.headers}
    headers.setdefault("content-type", "application/octet-stream")
    user = {name: value for name, value in request.headers.items() if name.startswith(_USER)}
    if sum(len(name) - len(_USER) + len(value) for name, value in user.items()) > MAX_USER_METADATA:
        raise errors.MetadataTooLarge
    return headers | user


def to_answer(found: StoredObject, query: Mapping[str, str]) -> dict[str, str]:
    """With the overrides of a read's query; raises InvalidArgument for one that cannot be a header."""
    headers = dict(found.headers)
    for parameter, name in _OVERRIDES.items():
        if parameter in query:
            headers[name] = _checked(parameter, query[parameter])
    headers["etag"] = f'"{found.etag}"'
    headers["last-modified"] = formatdate(found.modified_at, usegmt=True)
    headers["accept-ranges"] = "bytes"
    return headers


def _checked(parameter: str, value: str) -> str:
    if not all(character.isprintable() and ord(character) < 256 for character in value):
        raise errors.InvalidArgument(f"{parameter} holds characters that cannot stand in an ISO-8859-1 header")
    return value

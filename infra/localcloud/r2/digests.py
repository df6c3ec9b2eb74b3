"""The digests that a client promised for its body: x-amz-content-sha256, Content-MD5 and x-amz-checksum-*."""

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from infra.localcloud.r2 import errors


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _md5() -> Hasher:
    return hashlib.md5(usedforsecurity=False)


def _sha1() -> Hasher:
    return hashlib.sha1(usedforsecurity=False)


_PROMISES: dict[str, tuple[Callable[[], Hasher], int]] = {
    "content-md5": (_md5, 16),
    "x-amz-checksum-crc32": (_Crc32, 4),
    "x-amz-checksum-sha1": (_sha1, 20),
    "x-amz-checksum-sha256": (hashlib.sha256, 32),
}


class BodyDigests:
    """`update` with the whole body, then `verify`."""

    def __init__(self, headers: Mapping[str, str], body_sha256: str | None) -> None:
        """`body_sha256` is the signed hex digest or None; raises InvalidDigest for a malformed header."""
        self._expected: list[tuple[str, bytes, Hasher]] = []
        for name, (make, size) in _PROMISES.items():
            if name in headers:
                self._expected.append((name, _decoded(headers[name], size), make()))
        if body_sha256 is not None:
            self._expected.append(("x-amz-content-sha256", bytes.fromhex(body_sha256), hashlib.sha256()))

    def update(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            for _, _, hasher in self._expected:
                hasher.update(chunk)

    def verify(self) -> None:
        """Raises XAmzContentSHA256Mismatch or BadDigest."""
        for name, expected, hasher in self._expected:
            if not hmac.compare_digest(hasher.digest(), expected):
                if name == "x-amz-content-sha256":
                    raise errors.XAmzContentSHA256Mismatch
                raise errors.BadDigest(f"The {name} you specified did not match what we received.")


def _decoded(value: str, size: int) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise errors.InvalidDigest from error
    if len(digest) != size:
        raise errors.InvalidDigest
    return digest

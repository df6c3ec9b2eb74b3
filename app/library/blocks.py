"""An image as blocks of 4096 bytes: which changed, and a hash that a small change costs little.

The root is the SHA-256 of the blocks' SHA-256 digests, so that a commit hashes only what it changed.
"""

import hashlib

BLOCK_BYTES = 4096
_DIGEST_BYTES = 32
_STRIDE = 8 * BLOCK_BYTES


def digests_of(image: bytes) -> bytes:
    """32 bytes for each block, in order."""
    return b"".join(_digest(image, block) for block in range(count(image)))


def renewed(digests: bytes, image: bytes, changed: list[int]) -> bytes:
    """The digests of `image`, given those of an image that differs from it in the blocks `changed` and in length."""
    size = count(image) * _DIGEST_BYTES
    new = bytearray(digests[:size])
    new.extend(bytes(size - len(new)))
    for block in changed:
        new[block * _DIGEST_BYTES : (block + 1) * _DIGEST_BYTES] = _digest(image, block)
    return bytes(new)


def root_of(digests: bytes) -> str:
    return hashlib.sha256(digests).hexdigest()


def changed_blocks(old: bytes, new: bytes) -> list[int]:
    """Indexes of the blocks of `new` that `old` does not have in the same place."""
    step, changed = BLOCK_BYTES, []
    for start in range(0, len(new), _STRIDE):
        if new[start : start + _STRIDE] != old[start : start + _STRIDE]:
            stop = min(start + _STRIDE, len(new))
            changed += [at // step for at in range(start, stop, step) if new[at : at + step] != old[at : at + step]]
    return changed


def count(image: bytes) -> int:
    return -(-len(image) // BLOCK_BYTES)


def _digest(image: bytes, block: int) -> bytes:
    return hashlib.sha256(image[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES]).digest()

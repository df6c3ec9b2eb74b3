"""The step from one image to the next: its changed blocks, compressed against those that were in their places.

A row that comes or moves within its B-tree page is mostly bytes that were there before: some hundred bytes a commit.
Layout, big-endian: u32 size of the new image, u32 n, n times u32 block index, one frame of n blocks.
"""

import struct
from collections.abc import Sequence

from app.library import frames
from app.library.blocks import BLOCK_BYTES

_HEAD = struct.Struct(">II")


def make_patch(old: bytes, new: bytes, changed: Sequence[int]) -> bytes:
    """`changed` is what `blocks.changed_blocks(old, new)` gave."""
    head = _HEAD.pack(len(new), len(changed)) + struct.pack(f">{len(changed)}I", *changed)
    return head + frames.compress(_gathered(new, changed), known=_known(old, changed))


def apply_patches(image: bytes, patches: Sequence[bytes], max_bytes: int) -> bytes:
    """The image after all patches; raises ValueError when one is damaged or leads beyond `max_bytes`."""
    grown = bytearray(image)
    for patch in patches:
        _apply(grown, patch, max_bytes)
    return bytes(grown)


def _apply(image: bytearray, patch: bytes, max_bytes: int) -> None:
    size, changed = _parsed(patch, max_bytes)
    frame = patch[_HEAD.size + 4 * len(changed) :]
    unpacked = frames.decompress(frame, len(changed) * BLOCK_BYTES, known=_known(image, changed))
    if len(unpacked) != len(changed) * BLOCK_BYTES:
        raise ValueError(f"a patch of {len(changed)} blocks unpacks to {len(unpacked)} bytes")
    blocks = memoryview(unpacked)
    del image[size:]
    image.extend(bytes(size - len(image)))
    for number, block in enumerate(changed):
        at = block * BLOCK_BYTES
        stop = min(at + BLOCK_BYTES, size)
        image[at:stop] = blocks[number * BLOCK_BYTES : number * BLOCK_BYTES + stop - at]


def _parsed(patch: bytes, max_bytes: int) -> tuple[int, tuple[int, ...]]:
    """Size of the new image and the blocks that change."""
    try:
        size, count = _HEAD.unpack_from(patch)
        changed = struct.unpack_from(f">{count}I", patch, _HEAD.size)
    except struct.error as error:
        raise ValueError("a patch that ends in its head") from error
    if size > max_bytes or any(block * BLOCK_BYTES >= size for block in changed) or len(set(changed)) != count:
        raise ValueError(f"a patch of {count} blocks to an image of {size} bytes")
    return size, changed


def _known(image: bytes | bytearray, changed: Sequence[int]) -> bytes:
    """Of the blocks that change those that the image has: what is new at its end resembles none."""
    return _gathered(image, [block for block in changed if block * BLOCK_BYTES < len(image)])


def _gathered(image: bytes | bytearray, blocks: Sequence[int]) -> bytes:
    """The blocks one after the other, the last filled up with zeros."""
    with memoryview(image) as view:
        return b"".join(_padded(view[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES]) for block in blocks)


def _padded(block: memoryview) -> bytes | memoryview:
    return block if len(block) == BLOCK_BYTES else bytes(block).ljust(BLOCK_BYTES, b"\0")

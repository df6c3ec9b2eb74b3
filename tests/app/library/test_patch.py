"""Images and the steps between them."""

import random
import struct

import pytest

from app.library import blocks, frames
from app.library.patch import apply_patches, make_patch

MAX = 10**7


def drawn(rng: random.Random, size: int) -> bytes:
    return rng.randbytes(size)


def changed(rng: random.Random, image: bytes) -> bytes:
    """A few bytes elsewhere, and sometimes another length."""
    new = bytearray(image)
    for _ in range(rng.randrange(5)):
        if new:
            new[rng.randrange(len(new))] ^= rng.randrange(1, 256)
    return bytes(
        new[: rng.randrange(len(new) + 1)] if rng.random() < 0.2 else new + drawn(rng, rng.choice((0, 0, 5000)))
    )


@pytest.mark.parametrize("seed", range(20))
def test_patches_one_after_the_other_lead_to_the_last_image(seed: int) -> None:
    rng = random.Random(seed)
    image = first = drawn(rng, rng.choice((0, 512, 4096, 100_000)))
    digests = blocks.digests_of(image)
    patches = []
    for _ in range(6):
        new = changed(rng, image)
        differing = blocks.changed_blocks(image, new)
        patches.append(make_patch(image, new, differing))
        digests = blocks.renewed(digests, new, differing)
        image = new
    assert apply_patches(first, patches, MAX) == image
    assert digests == blocks.digests_of(image), "what a commit hashes is what a reader will"


def test_a_small_change_is_a_small_patch() -> None:
    rng = random.Random(1)
    image = drawn(rng, 1_000_000)
    new = image[:5000] + b"some words" + image[5010:]
    assert blocks.changed_blocks(image, new) == [1]
    assert len(make_patch(image, new, [1])) < 200


def test_a_row_that_pushes_others_aside_costs_little() -> None:
    rng = random.Random(2)
    page = drawn(rng, 4096)
    assert len(make_patch(page, page[:100] + b"new" + page[100:-3], [0])) < 100


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        struct.pack(">II", 4096, 5),
        struct.pack(">III", 4096, 1, 0),
        struct.pack(">III", 10**9, 1, 0) + frames.compress(bytes(4096)),
        struct.pack(">III", 4096, 1, 1) + frames.compress(bytes(4096)),
        struct.pack(">IIII", 8192, 2, 0, 0) + frames.compress(bytes(8192)),
        struct.pack(">III", 4096, 1, 0) + frames.compress(bytes(4095)),
        struct.pack(">III", 4096, 1, 0) + frames.compress(bytes(5000)),
        struct.pack(">III", 4096, 1, 0) + frames.compress(bytes(4096)) + b"more",
    ],
)
def test_a_damaged_patch_is_refused(patch: bytes) -> None:
    with pytest.raises(ValueError, match=r"patch|frame"):
        apply_patches(bytes(4096), [patch], MAX)


def test_a_frame_that_claims_too_much_or_nothing_is_not_unpacked() -> None:
    with pytest.raises(ValueError, match="claims"):
        frames.decompress(frames.compress(bytes(10**6)), 10**5)
    with pytest.raises(ValueError, match="damaged"):
        frames.decompress(b"no frame", 10**5)

"""How large rows are, and from which size on the records of a library are deltas; drawn once from the seed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest.mock import patch

from app.library import head
from app.library.image import empty_image

_SOME_ROWS_BYTES = 24 * 1024


class Images(NamedTuple):
    """`delta_above_bytes` None: as in production, where all of these records are full. `row_bytes`: sizes to choose."""

    delta_above_bytes: int | None
    row_bytes: tuple[int, ...]


def draw_images(rng: random.Random) -> Images:
    """Full records, deltas, deltas with bases that are soon too old, libraries that cross the limit both ways."""
    return rng.choice(
        (
            Images(None, (0,)),
            Images(None, (0,)),
            Images(None, (0,)),
            Images(1, (0,)),
            Images(1, (0, 0, 3000)),
            Images(len(empty_image()) + _SOME_ROWS_BYTES, (0, 3000, 20_000)),
        )
    )


@contextmanager
def in_use(images: Images) -> Iterator[None]:
    """For this process."""
    if images.delta_above_bytes is None:
        yield
        return
    with patch.object(head, "_DELTA_ABOVE_BYTES", images.delta_above_bytes):
        yield


def filling(write: str, size_bytes: int) -> str:
    """Text that does not compress to less than half; the same for each run of a handler."""
    return random.Random(write).randbytes(size_bytes // 2).hex()

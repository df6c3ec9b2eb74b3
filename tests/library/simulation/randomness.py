"""Everything that production code draws from the operating system, drawn from a seed instead."""

import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def seeded(rng: random.Random) -> Iterator[None]:
    """`secrets`, `uuid4`, `os.urandom` and the module functions of `random`, for this process."""

    def token_bytes(size: int | None = None) -> bytes:
        return rng.randbytes(32 if size is None else size)

    state = random.getstate()
    random.seed(rng.random())
    try:
        with patch.object(secrets, "token_bytes", token_bytes), patch.object(os, "urandom", token_bytes):
            yield
    finally:
        random.setstate(state)

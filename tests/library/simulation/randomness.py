"""Everything that production code takes from the operating system, taken from the simulation instead."""

import os
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from app.library import outbox


@contextmanager
def seeded(rng: random.Random, now: Callable[[], datetime]) -> Iterator[None]:
    """`secrets`, `uuid4`, `os.urandom` and the module functions of `random`, for this process; `now` for the outbox."""

    def token_bytes(size: int | None = None) -> bytes:
        return rng.randbytes(32 if size is None else size)

    state = random.getstate()
    random.seed(rng.random())
    try:
        with (
            patch.object(secrets, "token_bytes", token_bytes),
            patch.object(os, "urandom", token_bytes),
            patch.object(outbox, "now", now),
        ):
            yield
    finally:
        random.setstate(state)

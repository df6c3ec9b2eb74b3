"""Fixtures of the backend's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.app.backend import Backend, running_backend
from tests.app.memory_storage import MemoryStorage


@pytest.fixture
def memory() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
async def backend(memory: MemoryStorage) -> AsyncIterator[Backend]:
    async with running_backend(memory) as running:
        yield running

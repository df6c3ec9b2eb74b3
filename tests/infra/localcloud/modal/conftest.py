"""One stand-in with the sample app deployed serves all tests of this folder that only call it."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import modal
import pytest
import pytest_asyncio

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import ENVIRONMENT, TOKENS, connect, create_secret, deploy_sample


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Modal]:
    folder = tmp_path_factory.mktemp("modal")
    cloud = Modal(folder / "state", python=Path(sys.executable), tokens=TOKENS, environments=[ENVIRONMENT])
    await cloud.start()
    try:
        await create_secret(cloud.server_url, folder)
        await deploy_sample(cloud.server_url, tag="first")
        yield cloud
    finally:
        await cloud.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(cloud: Modal) -> AsyncIterator[modal.Client]:
    client = await connect(cloud.server_url)
    try:
        yield client
    finally:
        await client.close.aio()

"""The real SDK against the Modal stand-in, with an app that has the real one's names."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import modal
import pytest
import pytest_asyncio

from app.jobs.modal_client import ModalClient
from app.jobs.renderer import CallLostError, RemoteFailureError, RendererUnavailableError
from gpu.contract import APP_NAME, PROBE_FUNCTION, PROGRESS_DICT, RENDER_FUNCTION
from infra.localcloud.modal import Modal
from tests.app.jobs import modal_sample
from tests.app.waiting import until

TOKENS = {"ak-local": "as-local"}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Modal]:
    cloud = Modal(
        tmp_path_factory.mktemp("modal"), python=Path(sys.executable), tokens=TOKENS, environments=["staging"]
    )
    await cloud.start()
    try:
        await deploy(cloud)
        yield cloud
    finally:
        await cloud.stop()


async def deploy(cloud: Modal) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "MODAL_SERVER_URL": cloud.server_url,
        "MODAL_TOKEN_ID": "ak-local",
        "MODAL_TOKEN_SECRET": "as-local",
    }
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("modal")),
        *("deploy", "-m", "modal_sample", "--env", "staging"),
        cwd=Path(__file__).parent,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(cloud: Modal) -> AsyncIterator[ModalClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODAL_SERVER_URL", cloud.server_url)
        sdk = await modal.Client.from_credentials.aio("ak-local", "as-local")
    try:
        yield ModalClient("staging", sdk)
    finally:
        await sdk.close.aio()


def request(deed: str) -> dict[str, Any]:
    return {"source_url": f"https://x/{deed}", "progress_key": f"exp-{deed}"}


async def ended(client: ModalClient, call_id: str) -> dict[str, Any]:
    async def poll() -> dict[str, Any] | None:
        return await client.poll(call_id)

    return await until(poll, 0.05)


async def test_the_sample_has_the_names_of_the_contract() -> None:
    assert modal_sample.app.name == APP_NAME
    assert hasattr(modal_sample, PROBE_FUNCTION)
    assert hasattr(modal_sample, RENDER_FUNCTION)
    assert PROGRESS_DICT == "reel-ballers-progress"


async def test_a_spawned_call_is_found_by_its_id_and_leaves_progress(client: ModalClient, cloud: Modal) -> None:
    call_id = await client.spawn(RENDER_FUNCTION, request("ok"))
    assert await ended(client, call_id) == {"result": {"seen": "exp-ok"}}
    assert await client.progress("exp-ok") == {"phase": "rendering", "frames_done": 2, "frames_total": 3}
    await client.forget_progress("exp-ok")
    assert await client.progress("exp-ok") is None


async def test_what_the_function_raises_is_a_remote_failure(client: ModalClient) -> None:
    call_id = await client.spawn(RENDER_FUNCTION, request("raise"))
    with pytest.raises(RemoteFailureError, match="ValueError"):
        await ended(client, call_id)


async def test_a_running_call_has_no_response_and_a_cancelled_one_is_a_failure(client: ModalClient) -> None:
    call_id = await client.spawn(RENDER_FUNCTION, request("slow"))

    async def under_way() -> dict[str, Any] | None:
        return await client.progress("exp-slow")

    await until(under_way, 0.05)
    assert await client.poll(call_id) is None
    await client.cancel(call_id)
    with pytest.raises(RemoteFailureError):
        await ended(client, call_id)
    await client.cancel(call_id)


async def test_an_unknown_call_is_lost_and_cancelling_it_is_fine(client: ModalClient) -> None:
    with pytest.raises(CallLostError):
        await client.poll("fc-0123456789abcdefghijkl")
    await client.cancel("fc-0123456789abcdefghijkl")


async def test_a_check_finds_the_function_or_says_that_it_does_not(client: ModalClient) -> None:
    await client.check(RENDER_FUNCTION)
    with pytest.raises(RendererUnavailableError, match="no_such_function"):
        await client.check("no_such_function")

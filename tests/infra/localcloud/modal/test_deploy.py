"""The real `modal deploy` against the stand-in: what it prints, what it replaces, what it refuses."""

from pathlib import Path
from typing import Any

import httpx
import modal
import pytest
from modal_proto import api_pb2

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import (
    ENVIRONMENT,
    deploy_sample,
    eventually,
    function,
    modal_cli,
    stub,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

BROKEN_APP = """
import modal

app = modal.App("broken")
image = modal.Image.from_registry("nvidia/cuda:12.4.0-base-ubuntu22.04", add_python="3.11").apt_install("ffmpeg")

if not modal.is_local():
    raise LookupError("a library is missing in the image")


@app.function(image=image)
def work() -> None: ...
"""


async def _app_id(client: modal.Client, name: str) -> str:
    app = await modal.App.lookup.aio(name, environment_name=ENVIRONMENT, client=client)
    assert app.app_id is not None
    return app.app_id


async def _page(cloud: Modal, environment: str, name: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        page = await http.get(f"http://127.0.0.1:{cloud.http_port}/apps/{environment}/{name}")
    described: dict[str, Any] = page.json()
    return described


async def test_a_deploy_replaces_containers_without_losing_their_calls(cloud: Modal, client: modal.Client) -> None:
    work = function(client, "work")
    call = await work.spawn.aio("publish", {"key": "over-a-deploy"})
    progress = modal.Dict.from_name("progress", environment_name=ENVIRONMENT, create_if_missing=True, client=client)

    async def is_running() -> bool:
        return bool(await progress.contains.aio("over-a-deploy"))

    await eventually(is_running)
    old_pid = (await progress.get.aio("over-a-deploy"))["pid"]
    printed = await deploy_sample(cloud.server_url, tag="second")
    assert "Created Function work" in printed
    assert f"http://127.0.0.1:{cloud.http_port}/apps/{ENVIRONMENT}/sample" in printed
    page = await _page(cloud, ENVIRONMENT, "sample")
    assert (page["version"], page["tag"]) == (2, "second")
    assert page["functions"] == ["count", "flaky", "impatient", "patient", "together", "work"]
    new_pid, _ = await work.remote.aio("descendants", 0)
    assert new_pid != old_pid

    await progress.put.aio("over-a-deploy-go", True)
    assert await call.get.aio(timeout=120) == "published"
    assert (await progress.get.aio("over-a-deploy"))["pid"] == old_pid


async def test_a_rollback_publishes_an_earlier_version_again(cloud: Modal, client: modal.Client) -> None:
    await stub(client).AppRollback(api_pb2.AppRollbackRequest(app_id=await _app_id(client, "sample"), version=1))
    page = await _page(cloud, ENVIRONMENT, "sample")
    assert (page["version"], page["tag"]) == (3, "first")
    assert await function(client, "work").remote.aio("double", 4) == 8


async def test_a_deploy_that_misses_its_secret_fails_and_leaves_no_app(cloud: Modal, client: modal.Client) -> None:
    half = modal.App("half")
    half.function(serialized=True, secrets=[modal.Secret.from_name("forgotten")])(lambda: None)
    with pytest.raises(modal.exception.NotFoundError, match="Secret 'forgotten' not found in environment 'main'"):
        await half.deploy.aio(environment_name="main", client=client)
    assert "not found" in (await _page(cloud, "main", "half"))["error"]


async def test_what_the_stand_in_would_not_honour_is_refused_by_name(client: modal.Client) -> None:
    refused = modal.App("refused")
    refused.function(serialized=True, name="nightly", schedule=modal.Cron("0 3 * * *"))(lambda: None)
    with pytest.raises(modal.exception.UnimplementedError, match=r"FunctionCreate: schedules \(function nightly\)"):
        await refused.deploy.aio(environment_name="main", client=client)


async def test_a_function_that_can_not_be_imported_fails_its_calls_and_a_stopped_app_is_gone(
    cloud: Modal, client: modal.Client, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN_APP)
    deployed = await modal_cli(cloud.server_url, "deploy", "broken.py", "--env", ENVIRONMENT, cwd=tmp_path)
    assert deployed.returncode == 0, deployed.output
    broken = modal.Function.from_name("broken", "work", environment_name=ENVIRONMENT, client=client)
    with pytest.raises(LookupError, match="missing in the image"):
        await broken.remote.aio()

    await stub(client).AppStop(api_pb2.AppStopRequest(app_id=await _app_id(client, "broken")))
    with pytest.raises(modal.exception.NotFoundError, match="not deployed"):
        await broken.remote.aio()

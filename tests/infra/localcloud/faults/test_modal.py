"""What the real Modal client sees of each fault, and what a call meets whose container dies."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import modal
import pytest

from infra.localcloud.faults import Faults
from infra.localcloud.modal import Modal
from tests.infra.localcloud.faults.serving import log, plan, rule
from tests.infra.localcloud.modal.harness import ENVIRONMENT, TOKENS, connect, create_secret, deploy_sample, function

LIST = "SecretList"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def cloud(tmp_path: Path, faults: Faults) -> AsyncIterator[Modal]:
    python = Path(sys.executable)
    cloud = Modal(tmp_path / "state", python=python, tokens=TOKENS, environments=[ENVIRONMENT], faults=faults)
    await cloud.start()
    yield cloud
    await cloud.stop()


@pytest.fixture
async def client(cloud: Modal) -> AsyncIterator[modal.Client]:
    client = await connect(cloud.server_url)
    yield client
    await client.close.aio()


async def names(client: modal.Client) -> list[str]:
    return [each.name or "" for each in await modal.Secret.objects.list.aio(client=client)]


async def make(client: modal.Client, name: str) -> None:
    await modal.Secret.objects.create.aio(name, {"KEY": "value"}, client=client)


@pytest.mark.parametrize(
    ("fault", "status"), [("too_many", 8), ("server_error", 14), ("lost_request", 0), ("lost_response", 0)]
)
async def test_the_client_goes_on_after_one_fault(
    client: modal.Client, faults: Faults, fault: str, status: int
) -> None:
    faults.use(plan(rule("modal", LIST, fault, nth=2)))
    await make(client, "kept")
    before = len(faults.calls)
    assert await names(client) == await names(client) == ["kept"]
    assert log(faults, before) == [(LIST, "", 200), (LIST, fault, status), (LIST, "", 200)]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("server_error", modal.exception.ServiceError), ("expired_token", modal.exception.AuthError)],
)
async def test_the_client_gives_up_where_the_service_stays_as_it_is(
    client: modal.Client, faults: Faults, fault: str, error: type[Exception]
) -> None:
    faults.use(plan(rule("modal", LIST, fault)))
    with pytest.raises(error):
        await names(client)


async def test_a_lost_answer_leaves_what_the_call_did(client: modal.Client, faults: Faults) -> None:
    faults.use(
        plan(rule("modal", "SecretGetOrCreate", "lost_response", nth=1), rule("modal", "*", "expired_token", nth=2))
    )
    with pytest.raises(modal.exception.AuthError):
        await make(client, "made")
    faults.use(plan())
    assert await names(client) == ["made"]


async def test_a_killed_container_loses_its_result_and_the_retry_answers(
    cloud: Modal, client: modal.Client, faults: Faults, tmp_path: Path
) -> None:
    await create_secret(cloud.server_url, tmp_path)
    await deploy_sample(cloud.server_url, tag="first")
    faults.use(plan(rule("modal", "FunctionPutOutputs", "killed", nth=1)))
    before = len(faults.calls)
    assert await function(client, "flaky").remote.aio("killed", 0, "") == 2
    reports = [call for call in log(faults, before) if call[0] == "FunctionPutOutputs"]
    assert reports[:2] == [("FunctionPutOutputs", "killed", 0), ("FunctionPutOutputs", "", 200)]

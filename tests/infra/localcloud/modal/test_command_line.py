"""The real `modal` command line against the stand-in: secrets, environments, lists."""

import json

import modal
import pytest

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import ENVIRONMENT, modal_cli

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_deployed_apps_are_listed(cloud: Modal) -> None:
    listed = await modal_cli(cloud.server_url, "app", "list", "--env", ENVIRONMENT, "--json")
    assert ("sample", "deployed") in [(app["description"], app["state"]) for app in json.loads(listed.output)]


async def test_secrets_are_listed_by_name_and_never_shown(cloud: Modal, client: modal.Client) -> None:
    listed = await modal_cli(cloud.server_url, "secret", "list", "--env", ENVIRONMENT)
    assert "sample-secret" in listed.output
    assert "s3cret" not in listed.output
    assert await modal.Secret.objects.list.aio(environment_name="main", client=client) == []


async def test_creating_a_secret_again_is_refused(client: modal.Client) -> None:
    with pytest.raises(modal.exception.AlreadyExistsError, match="'sample-secret' already exists"):
        await modal.Secret.objects.create.aio(
            "sample-secret", {"FROM_SECRET": "other"}, environment_name=ENVIRONMENT, client=client
        )


async def test_an_environment_has_to_be_created_first(client: modal.Client) -> None:
    with pytest.raises(modal.exception.NotFoundError, match="modal environment create somewhere"):
        await modal.Secret.objects.list.aio(environment_name="somewhere", client=client)
    await modal.Environment.objects.create.aio("somewhere", client=client)
    assert await modal.Secret.objects.list.aio(environment_name="somewhere", client=client) == []

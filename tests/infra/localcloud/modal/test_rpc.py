"""What no room serves and who may call what, seen through the official client's own stub."""

import modal
import pytest
from google.protobuf.empty_pb2 import Empty
from modal_proto import api_pb2

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import connect, stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_call_that_is_not_implemented_says_its_name(client: modal.Client) -> None:
    with pytest.raises(modal.exception.Error, match="VolumeGetOrCreate: the local Modal stand-in"):
        await modal.Volume.from_name("files", create_if_missing=True, client=client).hydrate.aio()


async def test_a_wrong_secret_is_unauthenticated(cloud: Modal) -> None:
    stranger = await connect(cloud.server_url, secret="as-wrong")
    try:
        with pytest.raises(modal.exception.AuthError):
            await modal.Dict.objects.list.aio(client=stranger)
    finally:
        await stranger.close.aio()


async def test_a_client_can_not_pose_as_a_container(client: modal.Client) -> None:
    with pytest.raises(modal.exception.AuthError, match="only containers"):
        await stub(client).FunctionGetInputs(api_pb2.FunctionGetInputsRequest(function_id="fu-1"))
    with pytest.raises(modal.exception.AuthError, match="only containers"):
        await stub(client).ContainerHello(Empty())

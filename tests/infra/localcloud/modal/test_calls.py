"""Calling the deployed sample app from a client, every way that the backend or a script may."""

import asyncio

import modal
import pytest

from infra.localcloud.modal import Modal
from tests.infra.localcloud.modal.harness import ENVIRONMENT, eventually, function

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_remote_runs_the_uploaded_package(client: modal.Client) -> None:
    assert await function(client, "work").remote.aio("double", 21) == 42


async def test_map_keeps_the_order_of_its_inputs(client: modal.Client) -> None:
    results = [result async for result in function(client, "work").starmap.aio([("double", n) for n in range(30)])]
    assert results == [2 * n for n in range(30)]


async def test_remote_gen_yields_every_value(client: modal.Client) -> None:
    assert [value async for value in function(client, "count").remote_gen.aio(5)] == [0, 1, 2, 3, 4]


async def test_a_generator_can_not_be_spawned(client: modal.Client) -> None:
    with pytest.raises(modal.exception.InvalidError):
        await function(client, "count").spawn.aio(5)


async def test_arguments_and_results_of_several_megabytes_go_through_blobs(client: modal.Client, cloud: Modal) -> None:
    payload = bytes(range(256)) * 20_000
    before = cloud.counts["BlobCreate"]
    assert await function(client, "work").remote.aio("echo", payload) == payload
    assert cloud.counts["BlobCreate"] == before + 2


async def test_an_exception_in_the_function_reaches_the_caller_as_itself(client: modal.Client) -> None:
    with pytest.raises(KeyError, match="nonsense"):
        await function(client, "work").remote.aio("nonsense")


async def test_a_spawned_call_is_polled_by_its_id_and_publishes_progress(client: modal.Client) -> None:
    spawned = await function(client, "work").spawn.aio("publish", {"key": "job-1"})
    call = modal.FunctionCall.from_id(spawned.object_id, client=client)
    progress = modal.Dict.from_name("progress", environment_name=ENVIRONMENT, create_if_missing=True, client=client)
    events = modal.Queue.from_name("events", environment_name=ENVIRONMENT, create_if_missing=True, client=client)

    assert await events.get.aio(partition="job-1", timeout=120) == "started"
    assert (await progress.get.aio("job-1"))["frames_done"] == 1
    with pytest.raises(TimeoutError):
        await call.get.aio(timeout=0)

    await progress.put.aio("job-1-go", True)
    assert await call.get.aio(timeout=120) == "published"
    assert (await progress.get.aio("job-1"))["frames_done"] == 2
    assert await call.get.aio(timeout=0) == "published"


async def test_an_unknown_call_is_not_found(client: modal.Client) -> None:
    with pytest.raises(modal.exception.NotFoundError, match="fc-unknown"):
        await modal.FunctionCall.from_id("fc-unknown", client=client).get.aio(timeout=0)


async def test_an_app_of_another_environment_is_not_found(client: modal.Client) -> None:
    elsewhere = modal.Function.from_name("sample", "work", environment_name="main", client=client)
    with pytest.raises(modal.exception.NotFoundError, match="'main'"):
        await elsewhere.remote.aio("double", 1)


async def test_max_containers_makes_calls_wait_for_the_same_container(client: modal.Client) -> None:
    work = function(client, "work")
    calls = [await work.spawn.aio("environment") for _ in range(3)]
    seen = await asyncio.gather(*(call.get.aio(timeout=120) for call in calls))
    assert len({environment["MODAL_TASK_ID"] for environment in seen}) == 1


async def test_an_idle_container_ends_after_its_scaledown_window(client: modal.Client) -> None:
    impatient = function(client, "impatient")
    assert await impatient.remote.aio(0.0) == "done"
    assert (await impatient.get_current_stats.aio()).num_total_runners == 1

    async def is_gone() -> bool:
        return bool((await impatient.get_current_stats.aio()).num_total_runners == 0)

    await eventually(is_gone)


async def test_a_concurrent_function_runs_several_inputs_in_one_container(client: modal.Client) -> None:
    together = function(client, "together")
    containers = {container async for container in together.map.aio([2, 2, 2])}
    assert len(containers) == 1
    assert await together.remote.aio(0) in containers

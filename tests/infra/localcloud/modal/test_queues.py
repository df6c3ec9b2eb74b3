"""modal.Queue through the official client."""

import asyncio
import queue

import modal
import pytest

from infra.localcloud.modal import queues
from tests.infra.localcloud.modal.harness import ENVIRONMENT

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _queue(client: modal.Client, name: str) -> modal.Queue:
    return modal.Queue.from_name(name, environment_name=ENVIRONMENT, create_if_missing=True, client=client)


async def test_items_come_out_in_the_order_they_went_in(client: modal.Client) -> None:
    line = _queue(client, "line")
    await line.put_many.aio([1, 2, 3])
    assert await line.get_many.aio(2) == [1, 2]
    assert await line.get.aio() == 3
    assert await line.get.aio(block=False) is None
    with pytest.raises(queue.Empty):
        await line.get.aio(timeout=0.01)


async def test_a_reader_wakes_when_an_item_comes(client: modal.Client) -> None:
    waited_for = _queue(client, "waited-for")
    reader = asyncio.create_task(waited_for.get.aio(timeout=120))
    await waited_for.put.aio("here")
    assert await reader == "here"


async def test_partitions_are_apart_and_counted(client: modal.Client) -> None:
    parts = _queue(client, "parts")
    await parts.put.aio("a", partition="one")
    await parts.put.aio("b", partition="two")
    assert await parts.len.aio(partition="one") == 1
    assert await parts.len.aio(total=True) == 2
    await parts.clear.aio(partition="one")
    assert await parts.len.aio(total=True) == 1


async def test_iterating_leaves_the_items(client: modal.Client) -> None:
    kept = _queue(client, "kept")
    await kept.put_many.aio(["a", "b"])
    assert [item async for item in kept.iterate.aio()] == ["a", "b"]
    assert await kept.len.aio() == 2


async def test_a_full_partition_refuses_more(client: modal.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MAX_PARTITION_ITEMS", 2)
    full = _queue(client, "full")
    await full.put_many.aio([1, 2])
    with pytest.raises(queue.Full):
        await full.put.aio(3, block=False)

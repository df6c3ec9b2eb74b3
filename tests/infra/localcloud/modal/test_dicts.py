"""modal.Dict through the official client."""

from typing import Any

import modal
import pytest

from tests.infra.localcloud.modal.harness import ENVIRONMENT

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _dict(client: modal.Client, name: str, **options: Any) -> modal.Dict:
    return modal.Dict.from_name(name, client=client, **{"environment_name": ENVIRONMENT, **options})


async def test_values_are_put_got_and_popped(client: modal.Client) -> None:
    colours = _dict(client, "colours", create_if_missing=True)
    assert await colours.put.aio("home", {"shirt": "red"})
    assert await colours.get.aio("home") == {"shirt": "red"}
    assert await colours.get.aio("away", "unknown") == "unknown"
    assert await colours.contains.aio("home")
    assert await colours.pop.aio("home") == {"shirt": "red"}
    with pytest.raises(KeyError):
        await colours.pop.aio("home")


async def test_skip_if_exists_keeps_the_first_value(client: modal.Client) -> None:
    first = _dict(client, "first", create_if_missing=True)
    assert await first.put.aio("key", 1, skip_if_exists=True)
    assert not await first.put.aio("key", 2, skip_if_exists=True)
    assert await first.get.aio("key") == 1


async def test_contents_are_listed_and_cleared(client: modal.Client) -> None:
    numbers = _dict(client, "numbers", create_if_missing=True)
    await numbers.update.aio({"one": 1, "two": 2})
    assert sorted([item async for item in numbers.items.aio()]) == [("one", 1), ("two", 2)]
    assert await numbers.len.aio() == 2
    await numbers.clear.aio()
    assert [key async for key in numbers.keys.aio()] == []


async def test_a_name_belongs_to_its_environment(client: modal.Client) -> None:
    await _dict(client, "shared", create_if_missing=True).put.aio("key", "staging")
    other = _dict(client, "shared", create_if_missing=True, environment_name="main")
    assert await other.get.aio("key") is None


async def test_a_dict_that_nobody_created_is_not_found(client: modal.Client) -> None:
    with pytest.raises(modal.exception.NotFoundError, match="'nothing'"):
        await _dict(client, "nothing").get.aio("key")


async def test_a_deleted_dict_forgets_its_items(client: modal.Client) -> None:
    await _dict(client, "old", create_if_missing=True).put.aio("key", 1)
    await modal.Dict.objects.delete.aio("old", environment_name=ENVIRONMENT, client=client)
    assert await _dict(client, "old", create_if_missing=True).get.aio("key") is None


async def test_an_ephemeral_dict_has_no_name(client: modal.Client) -> None:
    async with modal.Dict.ephemeral(client=client, environment_name=ENVIRONMENT) as scratch:
        await scratch.put.aio("key", 1)
        assert await modal.Dict.from_id(scratch.object_id, client=client).get.aio("key") == 1
    listed = await modal.Dict.objects.list.aio(environment_name=ENVIRONMENT, client=client)
    assert scratch.object_id not in [listed_dict.object_id for listed_dict in listed]

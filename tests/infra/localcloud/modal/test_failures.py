"""Failing, crashing and slow functions, and the retry policy."""

import modal
import pytest

from tests.infra.localcloud.modal.harness import ENVIRONMENT, function

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_failure_is_retried_as_the_policy_says(client: modal.Client) -> None:
    assert await function(client, "flaky").remote.aio("once", 1, "raise") == 2


async def test_the_last_failure_is_reported_when_the_retries_are_used_up(client: modal.Client) -> None:
    with pytest.raises(ValueError, match="attempt 2"):
        await function(client, "flaky").remote.aio("always", 9, "raise")
    attempts = modal.Dict.from_name("attempts", environment_name=ENVIRONMENT, client=client)
    assert await attempts.get.aio("always") == 2


async def test_a_crash_of_the_container_is_retried_too(client: modal.Client) -> None:
    assert await function(client, "flaky").remote.aio("crash-once", 1, "crash") == 2


async def test_a_function_is_stopped_at_its_timeout_and_serves_the_next_call(client: modal.Client) -> None:
    impatient = function(client, "impatient")
    with pytest.raises(modal.exception.FunctionTimeoutError, match="timeout of 2s"):
        await impatient.remote.aio(60.0)
    assert await impatient.remote.aio(0.0) == "done"

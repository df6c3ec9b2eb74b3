"""What an interrupt may not break."""

import asyncio

import pytest

from infra.localcloud.fly.deploy.rollout import finish


async def test_a_step_that_was_begun_ends_even_when_its_deploy_is_interrupted() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        ended.set()

    deploy = asyncio.create_task(finish(step()))
    await begun.wait()
    deploy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deploy
    await asyncio.wait_for(ended.wait(), 60)

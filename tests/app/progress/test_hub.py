import asyncio

from app.progress.hub import ProgressHub
from tests.app.progress.counting import Count, count, last

KEY = ("a", "exp_1")


async def test_a_listener_hears_its_key_only() -> None:
    hub: ProgressHub[Count] = ProgressHub()
    with hub.subscribe(KEY) as mine, hub.subscribe(("b", "exp_1")) as other:
        hub.publish(KEY, count(1))
        assert await mine.next() == count(1)
        waiting = asyncio.create_task(other.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()


async def test_a_slow_listener_gets_the_latest_message() -> None:
    hub: ProgressHub[Count] = ProgressHub()
    with hub.subscribe(KEY) as subscription:
        for number in range(1000):
            hub.publish(KEY, count(number))
        assert await subscription.next() == count(999)


async def test_a_final_message_is_not_replaced_by_a_late_one() -> None:
    hub: ProgressHub[Count] = ProgressHub()
    with hub.subscribe(KEY) as subscription:
        hub.publish(KEY, last(5))
        hub.publish(KEY, count(4))
        assert await subscription.next() == last(5)


async def test_who_left_is_forgotten() -> None:
    hub: ProgressHub[Count] = ProgressHub()
    with hub.subscribe(KEY):
        pass
    hub.publish(KEY, count(1))
    assert not hub._subscriptions

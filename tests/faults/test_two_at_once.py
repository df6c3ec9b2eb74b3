"""Two runs on one stack: the second refuses and says who holds it; the first ends as if it had been alone."""

import re
import threading
import time

import pytest

from tests.faults import story
from tests.faults.scene import Scene
from tests.faults.story import Complete

pytestmark = pytest.mark.timeout(900)


def wait_for_calls(stage: Scene, count: int) -> None:
    """The engine's own; its steps wait at the gate."""
    deadline = time.monotonic() + 60
    while len(stage.clouds.faults.calls) < count:
        assert time.monotonic() < deadline, stage.clouds.faults.calls
        time.sleep(0.01)


@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_the_second_run_refuses_while_the_first_is_under_way(stage: Scene, complete: Complete, verb: str) -> None:
    stage.reset()
    under_way, go_on = threading.Event(), threading.Event()

    def opens(moment: str, words: list[str]) -> bool:
        under_way.set()
        go_on.wait(120)
        return True

    with stage.gate(opens):
        first = stage.start("up")
        assert under_way.wait(120)
        wait_for_calls(stage, len(complete.calls))
        status, said = stage.rehearse(verb, *story.WORDS[verb])
        made = len(stage.clouds.faults.calls) - len(complete.calls)
        go_on.set()
        assert (status, made) == (1, 0), said
        assert re.search(rf"is in use by another run \(process {first.pid}\)", said)
        status, said = first.wait()
    assert status == 0, said
    story.put_object(stage)
    assert story.difference(stage, complete) == ""


def test_two_started_at_the_same_moment_do_not_disturb_each_other(stage: Scene, complete: Complete) -> None:
    stage.reset()
    ended = sorted(run.wait() for run in [stage.start("up"), stage.start("up")])
    statuses = [status for status, _ in ended]
    assert statuses in ([0, 1], [0, 0]), ended
    story.put_object(stage)
    assert story.difference(stage, complete) == ""

"""`up` from nothing, ended at every call of the engine and at every command: the next `up` ends where one would have.

Every case starts from empty clouds. What is compared: the engine's state (resources, inputs, outputs, dependencies) and
the clouds' contents (bucket, CORS, lifecycle, tokens, Pages project and what it serves, Fly app, secrets, machines,
Modal app and secret). A file put into the bucket after the fault is still there.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import pytest

from tests.faults import story
from tests.faults.scene import Scene
from tests.faults.story import Complete

pytestmark = pytest.mark.timeout(900)


def wrong(stage: Scene, complete: Complete) -> str:
    """What is not as it should be after another `up`; empty when all is."""
    story.put_object(stage)
    had_a_bucket = stage.clouds.r2.control.has_bucket(stage.clouds.config.bucket)
    status, said = stage.rehearse("up")
    if status:
        return f"the next `up` failed:\n{said[-3000:]}"
    if not had_a_bucket:
        story.put_object(stage)
    return story.difference(stage, complete)


def try_each(stage: Scene, complete: Complete, cases: dict[str, Callable[[], None]]) -> None:
    failed: list[str] = []
    for name, fault in cases.items():
        stage.reset()
        fault()
        if reason := wrong(stage, complete):
            failed.append(f"{name}: {reason}")
    assert cases
    assert failed == [], "\n\n".join([f"{len(failed)} of {len(cases)} cases", *failed])


def test_the_moments_are_those_of_a_whole_up(complete: Complete) -> None:
    """Bucket, CORS, lifecycle, token, Pages project; two steps for Modal, one for Pages, four for Fly."""
    assert len(complete.calls) == 5
    assert len(complete.up) == 7


@pytest.mark.parametrize("when", ["arrived", "handled"])
def test_killed_at_each_call_of_the_engine(
    stage: Scene, complete: Complete, when: Literal["arrived", "handled"]
) -> None:
    strike = partial(story.run_and_strike_at_call, stage, "up")
    try_each(stage, complete, {call: partial(strike, call, when, story.kill) for call in complete.calls})


@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_killed_at_each_command(stage: Scene, complete: Complete, when: Literal["before", "while", "after"]) -> None:
    strike = partial(story.run_and_strike_at_step, stage, "up")
    try_each(stage, complete, {str(step): partial(strike, step, when, story.kill) for step in complete.up})


def test_terminated_while_each_command_runs(stage: Scene, complete: Complete) -> None:
    strike = partial(story.run_and_strike_at_step, stage, "up")
    try_each(stage, complete, {str(step): partial(strike, step, "while", story.terminate) for step in complete.up})


def test_failed_at_each_command(stage: Scene, complete: Complete) -> None:
    refuse = partial(story.refuse_step, stage, "up")
    try_each(stage, complete, {str(step): partial(refuse, step) for step in complete.up})


@pytest.mark.parametrize("fault", ["server_error", "lost_response"])
def test_failed_at_each_call_of_the_engine(stage: Scene, complete: Complete, fault: str) -> None:
    """For good, so that no repetition helps and `up` fails there. A lost answer leaves what was asked for."""
    fail = partial(story.fail_calls, stage, "up")
    try_each(stage, complete, {call: partial(fail, call, fault) for call in complete.calls})

"""`destroy` of a complete stack, ended at every call of the engine and at every command, and then run again.

All is gone then but what is protected: the data bucket with every object in it, and the Pages project.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import pytest

from tests.faults import portrait, story
from tests.faults.scene import Scene
from tests.faults.story import Complete

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def gone(stage: Scene, complete: Complete) -> tuple[Any, Any]:
    """State and clouds after one `destroy` without faults."""
    stage.reset(complete.snapshot)
    status, said = stage.rehearse("destroy", "--exclude-protected")
    assert status == 0, said
    assert story.object_is_there(stage)
    return portrait.stack(stage), portrait.clouds(stage.clouds)


def try_each(stage: Scene, complete: Complete, gone: tuple[Any, Any], cases: dict[str, Callable[[], None]]) -> None:
    failed: list[str] = []
    for name, fault in cases.items():
        stage.reset(complete.snapshot)
        fault()
        status, said = stage.rehearse("destroy", "--exclude-protected")
        found = portrait.stack(stage), portrait.clouds(stage.clouds)
        if status or not story.object_is_there(stage) or found != gone:
            failed.append(f"{name}: status {status}\n{story.first_difference(gone, found)}\n{said[-2000:]}")
    assert cases
    assert failed == [], "\n\n".join([f"{len(failed)} of {len(cases)} cases", *failed])


def test_only_what_is_protected_is_left(complete: Complete, gone: tuple[Any, Any]) -> None:
    stack, clouds = gone
    assert {urn.rpartition("::")[2] for urn in stack} >= {"storage-bucket", "app-project"}
    assert clouds["tokens"] == []
    assert clouds["fly"] == {}
    assert clouds["modal"] == ([], [])
    assert clouds["buckets"].keys() == complete.clouds["buckets"].keys()
    assert clouds["projects"] == complete.clouds["projects"]
    assert len(complete.destroy) == 3
    assert len(complete.calls_of_destroy) == 1, "the key; the bucket keeps its CORS and lifecycle"


@pytest.mark.parametrize("when", ["arrived", "handled"])
def test_killed_at_each_call_of_the_engine(
    stage: Scene, complete: Complete, gone: tuple[Any, Any], when: Literal["arrived", "handled"]
) -> None:
    strike = partial(story.run_and_strike_at_call, stage, "destroy")
    calls = complete.calls_of_destroy
    try_each(stage, complete, gone, {call: partial(strike, call, when, story.kill) for call in calls})


@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_killed_at_each_command(
    stage: Scene, complete: Complete, gone: tuple[Any, Any], when: Literal["before", "while", "after"]
) -> None:
    strike = partial(story.run_and_strike_at_step, stage, "destroy")
    try_each(stage, complete, gone, {str(step): partial(strike, step, when, story.kill) for step in complete.destroy})


def test_terminated_or_failed_at_each_command(stage: Scene, complete: Complete, gone: tuple[Any, Any]) -> None:
    strike = partial(story.run_and_strike_at_step, stage, "destroy")
    cases = {f"{step} SIGTERM": partial(strike, step, "while", story.terminate) for step in complete.destroy}
    refuse = partial(story.refuse_step, stage, "destroy")
    try_each(stage, complete, gone, {**cases, **{str(step): partial(refuse, step) for step in complete.destroy}})


@pytest.mark.parametrize("fault", ["server_error", "lost_response"])
def test_failed_at_each_call_of_the_engine(stage: Scene, complete: Complete, gone: tuple[Any, Any], fault: str) -> None:
    fail = partial(story.fail_calls, stage, "destroy")
    try_each(stage, complete, gone, {call: partial(fail, call, fault) for call in complete.calls_of_destroy})

"""The nightly check changes nothing, stays out of the way of deployments, and ends in one issue."""

import pytest

from tests.workflows.workflow import Workflow, commands, read, runs


@pytest.fixture
def drift() -> Workflow:
    return read("drift")


def test_it_runs_by_the_clock(drift: Workflow) -> None:
    assert len(drift.triggers["schedule"]) == 1
    assert set(drift.triggers) == {"schedule", "workflow_dispatch"}


def test_it_changes_nothing(drift: Workflow) -> None:
    [words] = commands(runs(drift.jobs["check"]), "pulumi")
    assert words[:3] == ["refresh", "--preview-only", "--expect-no-changes"]
    assert "--yes" not in words


def test_both_stacks_are_checked_whatever_is_found_in_one(drift: Workflow) -> None:
    strategy = drift.jobs["check"]["strategy"]
    assert strategy == {"fail-fast": False, "matrix": {"stack": ["staging", "production"]}}


def test_what_commands_made_is_probed_even_after_drift_of_resources(drift: Workflow) -> None:
    assert drift.step("check", "probe")["if"] == "${{ !cancelled() && steps.refresh.outcome != 'skipped' }}"
    assert drift.step("check", "result")["if"] == "${{ !cancelled() }}"


def test_it_waits_for_no_deployment_and_pushes_none_out(drift: Workflow) -> None:
    assert drift.jobs["check"]["needs"] == "idle"
    assert drift.jobs["check"]["if"] == "${{ needs.idle.outputs.under_way == '0' }}"


def test_the_report_needs_a_check_that_ran(drift: Workflow) -> None:
    report = drift.jobs["report"]
    assert report["needs"] == "check"
    assert report["if"] == "${{ !cancelled() && needs.check.result != 'skipped' }}"
    assert set(drift.jobs["check"]["outputs"]) == set(drift.jobs["check"]["strategy"]["matrix"]["stack"])

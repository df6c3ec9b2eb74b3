"""The scripts of `drift`, run: what they ask of `pulumi`, `make` and `gh`."""

from pathlib import Path

import pytest

from infra.sources import ROOT
from tests.workflows.answers import ok
from tests.workflows.runner import Runner
from tests.workflows.stub import Stub
from tests.workflows.workflow import Json, read


@pytest.mark.parametrize(("status", "failed"), [(0, 0), (255, 255)])
@pytest.mark.parametrize("stack", ["staging", "production"])
def test_the_refresh_only_looks(stack: str, status: int, failed: int, runner: Runner, pulumi: Stub) -> None:
    pulumi.replies(("refresh", "", status))
    context = {"matrix.stack": stack}
    ran, _ = Runner(ROOT, runner.temp, runner.path, context).run_step(read("drift").step("check", "refresh"))
    assert ran.status == failed
    [call] = pulumi.said
    assert call == f"refresh --preview-only --expect-no-changes --diff --non-interactive --stack {stack}"


def test_the_probe_asks_the_doctor_about_that_stack(runner: Runner, bin_folder: Path) -> None:
    make = Stub(bin_folder, "make")
    make.replies(("doctor", "", 1))
    context = {"matrix.stack": "production"}
    ran, _ = Runner(ROOT, runner.temp, runner.path, context).run_step(read("drift").step("check", "probe"))
    assert ran.status == 1
    assert make.said == ["doctor STACK=production"]


@pytest.mark.parametrize(
    ("refresh", "probe", "found"),
    [("success", "success", "none"), ("failure", "success", "drift"), ("success", "failure", "drift")],
)
def test_the_result_names_what_was_found(refresh: str, probe: str, found: str, runner: Runner) -> None:
    context = {"matrix.stack": "staging", "steps.refresh.outcome": refresh, "steps.probe.outcome": probe}
    ran, outputs = Runner(ROOT, runner.temp, runner.path, context).run_step(read("drift").step("check", "result"))
    ok(ran)
    assert outputs == {"staging": f"{found} (resources: {refresh}, commands: {probe})"}


def test_deployments_under_way_are_those_that_run_or_are_queued(runner: Runner, gh: Stub) -> None:
    """One that waits for an approval is asked for by no call, so it counts for nothing."""
    gh.replies(("run list --status in_progress", "1\n", 0), ("run list --status queued", "2\n", 0))
    ran, outputs = runner.run_step(read("drift").step("idle", "deployments"))
    ok(ran)
    assert outputs == {"under_way": "3"}
    assert [call.partition(" --workflow ")[0] for call in gh.said] == [
        "run list --status in_progress",
        "run list --status queued",
    ]
    assert all("--workflow deploy.yml " in call for call in gh.said)


def test_deployments_that_cannot_be_counted_are_no_zero(runner: Runner, gh: Stub) -> None:
    gh.replies(("run list --status in_progress", "0\n", 0), ("run list", "", 1))
    ran, outputs = runner.run_step(read("drift").step("idle", "deployments"))
    assert ran.status == 1
    assert outputs == {}


FOUND = {"needs.check.outputs.staging": "drift (resources: failure, commands: success)"}


def report(runner: Runner, gh: Stub, check: str, number: str) -> list[str]:
    gh.replies(("issue list", f"{number}\n", 0), ("label create", "", 0), ("issue", "", 0))
    step: Json = read("drift").step("report", "One issue")
    ok(Runner(ROOT, runner.temp, runner.path, {**FOUND, "needs.check.result": check}).run_step(step)[0])
    return [" ".join(call.split()[:3]) for call in gh.said[2:]]


def test_drift_opens_an_issue(runner: Runner, gh: Stub) -> None:
    assert report(runner, gh, "failure", "") == ["issue create --title"]
    [body] = gh.calls[-1]["files"]
    assert "* staging: drift (resources: failure, commands: success)" in body
    assert "* production: not checked" in body


def test_more_drift_edits_the_issue_that_is_open(runner: Runner, gh: Stub) -> None:
    assert report(runner, gh, "failure", "7") == ["issue edit 7"]


def test_no_drift_closes_it(runner: Runner, gh: Stub) -> None:
    assert report(runner, gh, "success", "7") == ["issue close 7"]


def test_no_drift_and_no_issue_is_silent(runner: Runner, gh: Stub) -> None:
    assert report(runner, gh, "success", "") == []

"""What a pull request gets: a plan of each stack in one comment that is edited, and a page that goes with it."""

import pytest

from infra.sources import ROOT
from tests.workflows.workflow import Workflow, commands, read, uses


@pytest.fixture
def preview() -> Workflow:
    return read("preview")


def test_both_stacks_are_planned(preview: Workflow) -> None:
    strategy = preview.jobs["plan"]["strategy"]
    assert strategy == {"fail-fast": False, "matrix": {"stack": ["staging", "production"]}}


def test_the_plan_is_what_a_deployment_would_do_under_the_repositorys_policies(preview: Workflow) -> None:
    [words] = commands(preview.step("plan", "plan")["run"], "timeout")
    words = words[words.index("pulumi") + 1 :]
    assert words[0] == "preview"
    assert words[words.index("--policy-pack") + 1] == "infra/policy"
    assert (ROOT / "infra/policy/PulumiPolicy.yaml").is_file()


def test_only_the_comment_may_write_and_it_runs_after_every_plan(preview: Workflow) -> None:
    comment = preview.jobs["comment"]
    assert preview.jobs["plan"]["permissions"] == {"contents": "read"}
    assert comment["permissions"] == {"pull-requests": "write"}
    assert comment["needs"] == "plan"
    assert "!cancelled()" in comment["if"]
    assert "needs.plan.result == 'failure'" in comment["if"]


def test_no_job_is_left_that_comments_once_a_stack(preview: Workflow) -> None:
    assert [
        step for job in preview.jobs.values() for step in uses(job, "pulumi/actions") if "command" in step["with"]
    ] == []


def test_each_stack_has_outputs_of_its_own_and_the_comment_gets_all(preview: Workflow) -> None:
    """Jobs of a matrix write into the same outputs."""
    stacks = preview.jobs["plan"]["strategy"]["matrix"]["stack"]
    names = {*stacks, *(f"{stack}_outcome" for stack in stacks)}
    assert preview.jobs["plan"]["outputs"] == {name: f"${{{{ steps.shown.outputs.{name} }}}}" for name in names}
    given = preview.step("comment", "One comment")["env"].values()
    assert {f"${{{{ needs.plan.outputs.{name} }}}}" for name in names} <= set(given)


def test_a_plan_has_no_credential_that_can_deploy_the_backend(preview: Workflow) -> None:
    names = {name for step in preview.jobs["plan"]["steps"] for name in step.get("env", {})}
    assert not {name for name in names if name.startswith(("FLY", "MODAL"))}


def test_the_page_goes_when_the_pull_request_closes(preview: Workflow) -> None:
    assert preview.triggers["pull_request"]["types"] == ["opened", "synchronize", "reopened", "closed"]
    for name, job in preview.jobs.items():
        if name == "comment":
            assert job["needs"] == "plan"  # and not where that is skipped
            continue
        sign = "==" if name == "remove-page" else "!="
        assert f"github.event.action {sign} 'closed'" in job["if"]


def test_a_page_is_never_deployed_and_removed_at_once(preview: Workflow) -> None:
    assert preview.jobs["page"]["concurrency"] == preview.jobs["remove-page"]["concurrency"]

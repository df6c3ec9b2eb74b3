"""What a pull request gets: a plan of each stack as a comment that is edited, and a page that goes with it."""

import pytest

from infra.sources import ROOT
from tests.workflows.workflow import Json, Workflow, read, uses


@pytest.fixture
def preview() -> Workflow:
    return read("preview")


@pytest.fixture
def plan(preview: Workflow) -> Json:
    [step] = [step for step in uses(preview.jobs["plan"], "pulumi/actions") if "command" in step["with"]]
    options: Json = step["with"]
    return options


def test_both_stacks_are_planned(preview: Workflow, plan: Json) -> None:
    assert preview.jobs["plan"]["strategy"]["matrix"]["stack"] == ["staging", "production"]
    assert plan["command"] == "preview"
    assert plan["stack-name"] == "${{ matrix.stack }}"


def test_the_comment_is_edited_and_not_repeated(plan: Json) -> None:
    assert plan["comment-on-pr"] is True
    assert plan["edit-pr-comment"] is True


def test_the_policies_are_the_repositorys(plan: Json) -> None:
    assert plan["policyPacks"] == "infra/policy"
    assert (ROOT / "infra/policy/PulumiPolicy.yaml").is_file()


def test_a_plan_has_no_credential_that_can_deploy_the_backend(preview: Workflow) -> None:
    names = {name for step in preview.jobs["plan"]["steps"] for name in step.get("env", {})}
    assert not {name for name in names if name.startswith(("FLY", "MODAL"))}


def test_the_page_goes_when_the_pull_request_closes(preview: Workflow) -> None:
    assert preview.triggers["pull_request"]["types"] == ["opened", "synchronize", "reopened", "closed"]
    for name, job in preview.jobs.items():
        sign = "==" if name == "remove-page" else "!="
        assert f"github.event.action {sign} 'closed'" in job["if"]


def test_a_page_is_never_deployed_and_removed_at_once(preview: Workflow) -> None:
    assert preview.jobs["page"]["concurrency"] == preview.jobs["remove-page"]["concurrency"]

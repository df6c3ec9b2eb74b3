"""The graph of a deployment: staging, verified, approved, the same image and site to production, and the ways back."""

import re

import pytest

from tests.workflows.runner import AFTER_A_FAILURE
from tests.workflows.workflow import Workflow, read, runs

STACKS = ("staging", "production")


@pytest.fixture
def deploy() -> Workflow:
    return read("deploy")


def place(workflow: Workflow, job: str, text: str) -> int:
    [found] = [at for at, step in enumerate(workflow.jobs[job]["steps"]) if text in step.get("run", "")]
    return found


def test_it_runs_on_main_only(deploy: Workflow) -> None:
    assert deploy.triggers == {"push": {"branches": ["main"]}, "workflow_dispatch": None}
    assert deploy.jobs["staging"]["if"] == "${{ github.ref == 'refs/heads/main' }}"


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_is_looked_at_applied_and_verified_in_this_order(deploy: Workflow, stack: str) -> None:
    order = [
        "infra.release before",
        "pulumi up",
        "pulumi stack output",
        "infra.deploy verify",
        "infra.release roll-back",
    ]
    places = [place(deploy, stack, text) for text in order]
    assert places == sorted(places)


@pytest.mark.parametrize("stack", STACKS)
def test_a_job_touches_its_own_stack_only(deploy: Workflow, stack: str) -> None:
    assert set(re.findall(r"(?:--stack|-s) (\w+)", runs(deploy.jobs[stack]))) == {stack}


@pytest.mark.parametrize("stack", STACKS)
def test_it_rolls_back_when_up_or_verify_failed_and_only_then(deploy: Workflow, stack: str) -> None:
    steps = deploy.jobs[stack]["steps"]
    assert steps[-1]["name"] == "Roll back"
    assert steps[-1]["if"] == AFTER_A_FAILURE
    assert [step["id"] for step in steps if "pulumi up" in step.get("run", "")] == ["up"]
    assert not any("continue-on-error" in step for step in steps)


def test_production_needs_staging_verified(deploy: Workflow) -> None:
    production = deploy.jobs["production"]
    assert production["needs"] == "staging"
    assert "if" not in production  # any condition of its own could run it after a failure


def test_only_what_was_verified_is_handed_over(deploy: Workflow) -> None:
    assert place(deploy, "staging", "infra.release fields") > place(deploy, "staging", "infra.deploy verify")
    assert deploy.jobs["staging"]["outputs"] == {
        name: "${{ steps.verified.outputs." + name + " }}" for name in ("image", "site_digest")
    }


def test_production_takes_the_image_and_site_of_staging(deploy: Workflow) -> None:
    step = deploy.jobs["production"]["steps"][place(deploy, "production", "reel:image")]
    assert step["env"]["IMAGE"] == "${{ needs.staging.outputs.image }}"
    assert step["env"]["SITE_DIGEST"] == "${{ needs.staging.outputs.site_digest }}"
    assert place(deploy, "production", "reel:image") < place(deploy, "production", "pulumi up")
    assert '--config-file "$RUNNER_TEMP/Pulumi.production.yaml"' in deploy.step("production", "up")["run"]
    assert "flyctl deploy" not in runs(deploy.jobs["production"])


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_has_the_environment_of_its_name(deploy: Workflow, stack: str) -> None:
    """Secrets and the approval of production are settings of the GitHub environment."""
    assert deploy.jobs[stack]["environment"] == stack


@pytest.mark.parametrize("stack", STACKS)
def test_state_and_clouds_are_reached_only_by_the_steps_that_need_them(deploy: Workflow, stack: str) -> None:
    for step in deploy.jobs[stack]["steps"]:
        held = {name for name in step.get("env", {}) if name.startswith(("CLOUDFLARE", "FLY", "MODAL"))}
        assert bool(held) == ("pulumi up" in step.get("run", "") or "roll-back" in step.get("run", ""))

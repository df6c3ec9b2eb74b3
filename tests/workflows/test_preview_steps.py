"""The scripts of `preview`, run: what they ask of `pulumi`, and what they hand on."""

import json
from pathlib import Path

import pytest
import yaml

from infra.release.plan_text import LIMIT
from infra.sources import ROOT
from tests.workflows.answers import IMAGE, SITE, ok
from tests.workflows.runner import Runner
from tests.workflows.stub import Stub
from tests.workflows.workflow import read


def at(runner: Runner, stack: str, **more: str) -> Runner:
    context = {"matrix.stack": stack, **{name.replace("__", "."): value for name, value in more.items()}}
    return Runner(ROOT, runner.temp, runner.path, context)


def test_the_preview_of_production_takes_image_and_site_of_staging(runner: Runner, pulumi: Stub) -> None:
    ran, outputs = runner.run_step(read("preview").step("plan", "promoted"))
    ok(ran)
    assert outputs == {"image": IMAGE, "site_digest": SITE}
    assert all("--stack staging " in call for call in pulumi.said)


def test_an_unchanged_tree_is_planned_with_the_settings_that_were_deployed(runner: Runner, bin_folder: Path) -> None:
    """A plan follows from program and settings: the same ones show no change."""
    (bin_folder / "pulumi").symlink_to(ROOT / "tests/workflows/pulumi")
    settings = runner.temp / "Pulumi.production.yaml"
    given = {"needs.staging.outputs.image": IMAGE, "needs.staging.outputs.site_digest": SITE}
    step = read("deploy").step("production", "The image and the site that staging runs")
    ok(Runner(ROOT, runner.temp, runner.path, given).run_step(step)[0])
    deployed = settings.read_text()
    settings.unlink()
    promoted = {"steps.promoted.outputs.image": IMAGE, "steps.promoted.outputs.site_digest": SITE}
    context = {"matrix.stack": "production", **promoted}
    ok(Runner(ROOT, runner.temp, runner.path, context).run_step(read("preview").step("plan", "settings"))[0])
    assert settings.read_text() == deployed
    assert yaml.safe_load(deployed)["config"]["reel:siteDigest"] == SITE


def test_the_settings_of_staging_are_those_of_the_tree(runner: Runner, pulumi: Stub) -> None:
    ok(at(runner, "staging").run_step(read("preview").step("plan", "settings"))[0])
    assert pulumi.calls == []
    assert (runner.temp / "Pulumi.staging.yaml").read_text() == (ROOT / "Pulumi.staging.yaml").read_text()


@pytest.mark.parametrize("status", [0, 255])
@pytest.mark.parametrize("stack", ["staging", "production"])
def test_a_plan_is_kept_and_fails_as_pulumi_does(stack: str, status: int, runner: Runner, pulumi: Stub) -> None:
    pulumi.replies(("preview", "Previewing update\n", status))
    runner.temp.mkdir()
    settings = runner.temp / f"Pulumi.{stack}.yaml"
    settings.write_text("config: {}\n")
    ran, _ = at(runner, stack).run_step(read("preview").step("plan", "plan"))
    assert ran.status == status
    assert (runner.temp / "plan.txt").read_text() == ran.said == "Previewing update\n"
    [call] = pulumi.said
    flags = "--diff --color never --non-interactive"
    assert call == f"preview {flags} --stack {stack} --policy-pack infra/policy --config-file {settings}"


def test_what_the_comment_shows_is_an_output_of_the_stacks_name(runner: Runner) -> None:
    runner.temp.mkdir()
    (runner.temp / "plan.txt").write_text("Previewing update\n  a<<b=c\nResources:\n    3 unchanged\n")
    step = read("preview").step("plan", "shown")
    assert step["if"] == "${{ !cancelled() && steps.plan.outcome != 'skipped' }}"
    ran, outputs = at(runner, "production", steps__plan__outcome="failure").run_step(step)
    ok(ran)
    assert outputs == {
        "production": "Previewing update\n  a<<b=c\nResources:\n    3 unchanged",
        "production_outcome": "failure",
    }


def comment(runner: Runner, gh: Stub, **plans: str) -> str:
    """The body of the one comment."""
    gh.replies(("pr comment", "", 0))
    context = {f"needs.plan.outputs.{name}": value for name, value in plans.items()}
    number = {"github.event.pull_request.number": "12"}
    step = read("preview").step("comment", "One comment")
    ok(Runner(ROOT, runner.temp, runner.path, {**context, **number}).run_step(step)[0])
    [call] = gh.calls
    assert call["argv"][:5] == ["pr", "comment", "12", "--edit-last", "--create-if-none"]
    [body] = call["files"]
    return str(body)


def test_one_comment_has_both_plans(runner: Runner, gh: Stub) -> None:
    body = comment(runner, gh, staging="A\nB", staging_outcome="success", production="C", production_outcome="failure")
    assert "### staging\n\n```\nA\nB\n```\n" in body
    assert "### production: the plan failed\n\n```\nC\n```\n" in body


def test_a_plan_that_was_not_made_is_said(runner: Runner, gh: Stub) -> None:
    body = comment(runner, gh, staging="A", staging_outcome="success")
    assert "### production: the plan failed\n\nThere is no text of a plan; the run says why.\n" in body


def test_no_plan_gets_out_of_its_fence_or_into_the_shell(runner: Runner, gh: Stub) -> None:
    text = "x\n```\n# @everyone\n`````\n$(touch out) %s \\n"
    body = comment(runner, gh, staging=text, staging_outcome="success")
    assert f"\n``````\n{text}\n``````\n" in body
    assert not (ROOT / "out").exists()


def test_two_plans_of_full_length_fit_into_a_comment(runner: Runner, gh: Stub) -> None:
    full = dict.fromkeys(("staging", "production"), "\u2026" * LIMIT)
    assert LIMIT * 2 < len(comment(runner, gh, **full)) < 65_536


def test_the_preview_of_production_needs_staging_to_be_up(runner: Runner, pulumi: Stub) -> None:
    pulumi.replies(("stack history", "[]", 0))
    ran, _ = runner.run_step(read("preview").step("plan", "promoted"))
    assert ran.status == 1
    assert "there is no image to pass on" in ran.said


def test_the_page_of_a_pull_request_is_deployed_as_its_branch(tmp_path: Path, bin_folder: Path) -> None:
    """The deploy step itself is replaced: it would go to Cloudflare."""
    folder = tmp_path / "tree"
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / "infra").symlink_to(ROOT / "infra")
    (folder / "Pulumi.staging.yaml").symlink_to(ROOT / "Pulumi.staging.yaml")
    python = folder / ".venv/bin/python"
    python.write_text(
        f'#!/bin/sh\nif [ "$2" = infra.deploy ]; then cat > {folder}/request.json; echo \'{{"alias": "https://x"}}\'; '
        f'else exec {ROOT}/.venv/bin/python "$@"; fi\n'
    )
    python.chmod(0o755)
    runner = Runner(folder, tmp_path / "temp", [bin_folder], {"github.event.pull_request.number": "12"})
    ran, outputs = runner.run_step(read("preview").step("page", "deploy"))
    ok(ran)
    assert outputs == {"alias": "https://x"}
    assert json.loads((folder / "request.json").read_text())["branch"] == "pr-12"


def test_removing_a_page_needs_a_token_that_may(runner: Runner) -> None:
    """Without one Cloudflare refuses; here nothing even answers, and that is an error and no success."""
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    step = read("preview").step("remove-page", "Remove the deployments")
    ran, _ = Runner(ROOT, runner.temp, runner.path, {"github.event.pull_request.number": "12"}, offline).run_step(step)
    assert ran.status == 1
    assert ran.said.strip().splitlines()[-1].startswith("error: ")

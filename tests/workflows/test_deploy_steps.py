"""The scripts of `deploy`, run: what they ask of `pulumi`, and what they hand on."""

import json

import pytest

from infra.sources import ROOT
from tests.workflows.answers import IMAGE, OUTPUTS, SITE, ok
from tests.workflows.runner import Runner
from tests.workflows.stub import Stub
from tests.workflows.workflow import read


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_before_writes_what_runs_now(stack: str, runner: Runner, pulumi: Stub) -> None:
    ok(runner.run_step(read("deploy").step(stack, "What runs now"))[0])
    before = json.loads((runner.temp / "before.json").read_text())
    assert before == {"commit": "b" * 40, "dirty": False, "image": IMAGE, "site_digest": SITE}
    assert all(f"--stack {stack} " in call for call in pulumi.said)


def test_before_of_a_stack_that_was_never_up_is_empty(runner: Runner, pulumi: Stub) -> None:
    pulumi.replies(("stack history", "[]", 0))
    ok(runner.run_step(read("deploy").step("staging", "What runs now"))[0])
    assert json.loads((runner.temp / "before.json").read_text()) == {}


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_up_applies_the_stack_under_its_policies(stack: str, runner: Runner, pulumi: Stub) -> None:
    (runner.temp).mkdir()
    (runner.temp / "Pulumi.production.yaml").write_text("config: {}\n")
    ok(runner.run_step(read("deploy").step(stack, "up"))[0])
    [call] = pulumi.calls
    assert call["argv"][:3] == ["up", "--yes", "--skip-preview"]
    assert f"--stack {stack} --policy-pack infra/policy" in " ".join(call["argv"])


def test_a_failed_up_fails_the_step(runner: Runner, pulumi: Stub) -> None:
    pulumi.replies(("up", "error: it broke", 255))
    ran, _ = runner.run_step(read("deploy").step("staging", "up"))
    assert ran.status == 255


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_outputs_are_for_nobody_else_and_not_in_the_log(stack: str, runner: Runner, pulumi: Stub) -> None:
    said = ok(runner.run_step(read("deploy").step(stack, "Outputs"))[0])
    path = runner.temp / "outputs.json"
    assert json.loads(path.read_text()) == OUTPUTS
    assert path.stat().st_mode & 0o077 == 0
    assert "token-of-the-test" not in said


def test_what_is_handed_over_is_image_and_site(runner: Runner) -> None:
    runner.temp.mkdir()
    (runner.temp / "outputs.json").write_text(json.dumps(OUTPUTS))
    ran, outputs = runner.run_step(read("deploy").step("staging", "verified"))
    ok(ran)
    assert outputs == {"image": IMAGE, "site_digest": SITE}


@pytest.mark.parametrize("name", ["image", "site_digest"])
def test_a_stack_without_image_or_site_hands_nothing_over(name: str, runner: Runner) -> None:
    runner.temp.mkdir()
    (runner.temp / "outputs.json").write_text(json.dumps({**OUTPUTS, name: ""}))
    ran, outputs = runner.run_step(read("deploy").step("staging", "verified"))
    assert ran.status == 1
    assert outputs == {}


def test_verify_fails_where_the_stack_does_not_answer(runner: Runner) -> None:
    runner.temp.mkdir()
    nowhere = "http://127.0.0.1:9"
    outputs = dict.fromkeys(("api_url", "app_url", "health_url", "ws_url", "landing_url"), nowhere)
    (runner.temp / "outputs.json").write_text(json.dumps({**OUTPUTS, **outputs}))
    ran, _ = runner.run_step(read("deploy").step("staging", "Verify"))
    assert ran.status == 1
    assert "health" in ran.said
    assert "token-of-the-test" not in ran.said


def test_production_gets_the_image_and_the_site_of_staging(runner: Runner, pulumi: Stub) -> None:
    tree = (ROOT / "Pulumi.production.yaml").read_text()
    given = {"needs.staging.outputs.image": IMAGE, "needs.staging.outputs.site_digest": SITE}
    step = read("deploy").step("production", "The image and the site that staging runs")
    ok(Runner(ROOT, runner.temp, runner.path, given).run_step(step)[0])
    copy = str(runner.temp / "Pulumi.production.yaml")
    assert [call["argv"][:4] for call in pulumi.calls] == [
        ["config", "set", "reel:image", IMAGE],
        ["config", "set", "reel:siteDigest", SITE],
    ]
    assert all(copy in call["argv"] and call["files"] == [tree] for call in pulumi.calls)
    assert (ROOT / "Pulumi.production.yaml").read_text() == tree


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_a_first_release_that_fails_has_nothing_to_go_back_to(stack: str, runner: Runner, pulumi: Stub) -> None:
    runner.temp.mkdir()
    (runner.temp / "before.json").write_text("{}\n")
    ran, _ = runner.run_step(read("deploy").step(stack, "Roll back"))
    assert ran.status == 1
    assert ran.said.splitlines()[-1] == f"error: there is nothing to roll back to: {stack} had never been up before"
    assert pulumi.calls == []

"""The scripts of `preview`, run: what they ask of `pulumi`, and what they hand on."""

import json
from pathlib import Path

import yaml

from infra.sources import ROOT
from tests.workflows.answers import IMAGE, ok
from tests.workflows.runner import Runner
from tests.workflows.stub import Stub
from tests.workflows.workflow import read


def test_the_preview_of_production_plans_with_the_image_of_staging(runner: Runner, pulumi: Stub) -> None:
    ran, outputs = runner.run_step(read("preview").step("plan", "promoted"))
    ok(ran)
    assert yaml.safe_load(outputs["config"]) == {"reel:image": {"value": IMAGE}}


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

"""The staging job of deploy.yml run as it stands on a local cloud: a release, a bad one, and the way back.

`pulumi` is a rehearsal here (`tests/workflows/pulumi`) and the stack's file is the local one; all else is what runs on
GitHub: the same scripts, the same order, the same conditions.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.localcloud.stackfile import credentials
from tests.e2e.system import System, copy_of_the_repository
from tests.infra.release.fakes import git
from tests.workflows.runner import Finished, Runner
from tests.workflows.workflow import read

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent


class Staging:
    """A clone with its history, a cloud on free ports, and GitHub's job for the stack `staging`."""

    def __init__(self, system: System, temp: Path) -> None:
        self.root = system.root
        self.environment = {
            **credentials(),
            "PULUMI_BACKEND_URL": (self.root / ".local/backend").as_uri(),
        }
        self.path = [HERE, self.root / ".local/bin"]
        self._runner = Runner(self.root, temp, self.path, environment=self.environment, timeout_s=800)

    def deploy(self, message: str) -> Finished:
        """Commit the tree and run the job on that commit."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", message)
        return self._runner.run_job(read("deploy").jobs["staging"])

    def call(self, *words: str) -> Any:
        """What a command printed as JSON."""
        path = os.pathsep.join([*map(str, self.path), os.environ["PATH"]])
        stack = yaml.safe_load((self.root / "Pulumi.staging.yaml").read_text())["config"]
        apis = dict.fromkeys(("FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL"), stack["reel:flyUrl"])
        done = subprocess.run(
            words,
            cwd=self.root,
            env={**os.environ, **self.environment, **apis, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def running(self) -> dict[str, Any]:
        """Image, environment and configuration of the machines, and the digests of the app's secrets."""
        app = ("--app", "reel-ballers-api-local", "--json")
        machines = self.call("flyctl", "status", *app)["Machines"]
        secrets = self.call("flyctl", "secrets", "list", *app)
        return {
            "images": {machine["image_ref"]["digest"] for machine in machines},
            # A version names commit and content; of a given image the content is its digest.
            "environment": [_with_commit(machine["config"]["env"]) for machine in machines],
            "concurrency": [service["concurrency"] for m in machines for service in m["config"]["services"]],
            "secrets": {secret["name"]: secret["digest"] for secret in secrets},
        }

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert re.search(old, text), f"{name} does not have {old!r}"
        (self.root / name).write_text(re.sub(old, lambda match: new, text, count=1))


def _with_commit(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "GIT_SHA": environment["GIT_SHA"].partition("+")[0]}


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staging]:
    system = copy_of_the_repository(tmp_path_factory.mktemp("repository"))
    git(system.root, "init", "--quiet")
    # What is linked in here is a folder in a clone, and ignored there.
    (system.root / ".git/info/exclude").write_text(".venv\nnode_modules\n")
    shutil.copy(system.root / "Pulumi.local.yaml", system.root / "Pulumi.staging.yaml")
    start = "from infra.local import apply, cloud; cloud.ensure(); apply._install_flyctl()"
    subprocess.run([".venv/bin/python", "-c", start], cwd=system.root, check=True)
    try:
        yield Staging(system, tmp_path_factory.mktemp("runner"))
    finally:
        system.make("down")


@pytest.fixture(scope="module")
def good(staging: Staging) -> Finished:
    return staging.deploy("A: works")


@pytest.fixture(scope="module")
def before(staging: Staging, good: Finished) -> dict[str, Any]:
    return staging.running()


@pytest.fixture(scope="module")
def dead(staging: Staging, before: dict[str, Any], bad: Finished) -> Finished:
    """On top of all that, a backend that does not start."""
    staging.edit("app/__main__.py", r"\A", "raise SystemExit('it does not start')\n")
    return staging.deploy("C: does not start")


@pytest.fixture(scope="module")
def bad(staging: Staging, before: dict[str, Any]) -> Finished:
    """Another environment, other limits, other secrets, and a backend that is healthy and refuses its own page."""
    settings = "Pulumi.staging.yaml"
    staging.edit(settings, r"\n  reel:machines: 1\n", "\n  reel:machines: 1\n  reel:webConcurrency: 2\n")
    staging.edit(
        settings, "\n  reel:flyApp", "\n  reel:requestsSoftLimit: 120\n  reel:bucketKeys: [a, b]\n  reel:flyApp"
    )
    staging.edit(
        "app/http/origins.py",
        r"allow_origins=sorted\(self.exact\)|allow_origins=sorted\(origins.exact\)",
        "allow_origins=[]",
    )
    return staging.deploy("B: does not verify")


def test_a_release_that_verifies_is_handed_over(good: Finished, before: dict[str, Any]) -> None:
    assert not good.failed, good.said
    assert "Roll back" not in good.names
    assert good.outputs["steps.verified.outputs.image"].rpartition("@")[2] in before["images"]
    assert re.fullmatch(r"[0-9a-f]{64}", good.outputs["steps.verified.outputs.site_digest"])


def test_a_pull_request_without_changes_plans_none(staging: Staging, before: dict[str, Any]) -> None:
    """`preview` as it stands, on the tree that was just deployed."""
    runner = replace(staging._runner, context={"matrix.stack": "staging"})
    for name in ("settings", "plan"):
        ran, _ = runner.run_step(read("preview").step("plan", name))
        assert ran.status == 0, ran.said
    assert "\nnothing changed: " in ran.said


def test_one_that_does_not_verify_fails_and_is_rolled_back(bad: Finished) -> None:
    assert bad.failed
    assert [(step.name, step.status == 0) for step in bad.steps[-4:]] == [
        ("Up", True),
        ("Outputs", True),
        ("Verify", False),
        ("Roll back", True),
    ], bad.said
    assert "storage-token-b" in bad.steps[1].said  # its secrets were other ones
    assert bad.steps[-1].said.splitlines()[-1].startswith("rolled back: staging runs ")
    assert not any(name.startswith("steps.verified") for name in bad.outputs)


def test_image_environment_limits_and_secrets_are_those_before(
    staging: Staging, before: dict[str, Any], bad: Finished
) -> None:
    assert staging.running() == before


def test_one_that_does_not_come_up_is_rolled_back_to_the_same(
    staging: Staging, before: dict[str, Any], dead: Finished
) -> None:
    """The release that the roll back made is itself one to come back to."""
    assert [(step.name, step.status == 0) for step in dead.steps[-2:]] == [("Up", False), ("Roll back", True)], (
        dead.said
    )
    assert staging.running() == before


def test_what_runs_is_a_release_from_a_clean_tree(staging: Staging, before: dict[str, Any], dead: Finished) -> None:
    deployed = staging.call(".venv/bin/python", "-m", "infra.release", "before", "-s", "staging")
    assert deployed["commit"] == git(staging.root, "rev-parse", "HEAD~2").strip()
    assert deployed["dirty"] is False
    assert deployed["image"].rpartition("@")[2] in before["images"]


def test_no_secret_is_in_the_logs(staging: Staging, good: Finished, bad: Finished, dead: Finished) -> None:
    outputs = json.loads((staging._runner.temp / "outputs.json").read_text())
    hidden = {outputs["verify_token"], *credentials().values()}
    assert all(len(value) >= 8 for value in hidden)
    assert [value for value in hidden if value in good.said + bad.said + dead.said] == []


def test_nothing_is_left_behind(staging: Staging, dead: Finished) -> None:
    assert git(staging.root, "worktree", "list").count("\n") == 1
    assert git(staging.root, "status", "--porcelain") == ""

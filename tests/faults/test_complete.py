"""A whole `up` with nothing replaced (Vite, wrangler, image, backend), killed at moments that a seed draws."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from infra.localcloud.stackfile import credentials
from tests.e2e.system import System, copy_of_the_repository

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SEED = 20
KILLS = 3
LINES = 70  # of an undisturbed `up`, less its last words
PREPARED = "from infra.local import apply, cloud; cloud.ensure(); apply._install_flyctl()"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made = copy_of_the_repository(tmp_path_factory.mktemp("repository"))
    subprocess.run([".venv/bin/python", "-c", PREPARED], cwd=made.root, check=True, env=environment(made))
    try:
        yield made
    finally:
        made.make("down")


def environment(system: System) -> dict[str, str]:
    clouds = ("PULUMI", "CLOUDFLARE", "FLY", "MODAL", "PYTHONPATH")
    ambient = {name: value for name, value in os.environ.items() if not name.startswith(clouds)}
    return {**ambient, **credentials(), "PATH": f"{system.root / '.local/bin'}{os.pathsep}{os.environ['PATH']}"}


def killed_after(system: System, lines: int) -> int:
    """How many lines it said; it may have ended before."""
    command = [".venv/bin/python", "-m", "infra.rehearsal", "up", "--stack", "local", "--env-file", "infra/local.env"]
    with subprocess.Popen(
        command,
        cwd=system.root,
        env=environment(system),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        said = 0
        for said, _ in enumerate(process.stdout or (), start=1):
            if said == lines:
                os.killpg(process.pid, signal.SIGKILL)
        return said


def test_killed_three_times_it_ends_as_one_up_would(system: System) -> None:
    drawn = sorted(random.Random(SEED).sample(range(1, LINES), KILLS))
    sys.stdout.write(f"seed {SEED}: killed after {drawn} lines\n")
    reached = [killed_after(system, lines) for lines in drawn]
    assert reached[0] >= drawn[0]
    system.rehearse("up")
    assert "nothing changed" in system.rehearse("up")
    outputs = system.rehearse("outputs")
    assert "health_url" in outputs
    assert httpx.get(outputs_of(system)["health_url"]).status_code == 200
    assert httpx.get(outputs_of(system)["app_url"]).status_code == 200
    assert len(tokens(system)) == 1


def outputs_of(system: System) -> dict[str, str]:
    document = json.loads((Path(system.root) / ".local/stacks/local.json").read_text())
    found: dict[str, str] = next(one for one in document["resources"] if one["type"] == "pulumi:pulumi:Stack")[
        "outputs"
    ]
    return found


def tokens(system: System) -> list[str]:
    config = yaml.safe_load((system.root / "Pulumi.local.yaml").read_text())["config"]
    url = f"{config['reel:cloudflareUrl']}/accounts/{config['reel:accountId']}/tokens"
    answer = httpx.get(url, headers={"authorization": f"Bearer {credentials()['CLOUDFLARE_API_TOKEN']}"})
    return [token["name"] for token in answer.raise_for_status().json()["result"]]

"""A plan in a file: looked at before each call; and the running local cloud with one."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from infra.localcloud.faults import Faults, PlanError
from tests.e2e.system import copy_of_the_repository
from tests.infra.localcloud.faults.serving import rule


def write(path: Path, *rules: dict[str, Any], seed: int = 1) -> None:
    """Whole or not at all: the cloud may look at any moment."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"seed": seed, "rules": rules}))
    fresh.replace(path)


def faults_of(faults: Faults, times: int) -> list[str]:
    found = [faults.begin("r2", "GET /a")[1] for _ in range(times)]
    return [fault.fault if fault else "" for fault in found]


def test_a_replaced_file_is_a_new_plan_with_counts_at_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plan.json"
    write(path, rule("r2", "*", "too_many", nth=2), seed=41)
    faults = Faults(file=path)
    assert faults_of(faults, 3) == ["", "too_many", ""]
    write(path, rule("r2", "*", "too_many", nth=2), seed=42)
    assert faults_of(faults, 3) == ["", "too_many", ""]
    said = capsys.readouterr().err
    assert re.findall(r"seed (\d+), (\d+) rules", said) == [("41", "1"), ("42", "1")]


def test_a_file_that_holds_no_plan_fails_the_call(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with pytest.raises(PlanError, match="cannot be read"):
        Faults(file=path)
    write(path)
    faults = Faults(file=path)
    path.write_text("{")
    with pytest.raises(PlanError, match="not JSON"):
        faults.begin("r2", "GET /a")


@contextmanager
def local_cloud(root: Path, state: Path, plan: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.localcloud", "serve", "--state", str(state), "--faults", str(plan)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=(state.parent / "log").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        assert '"ready": true' in process.stdout.readline(), (state.parent / "log").read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        if process.stdout:
            process.stdout.close()


def test_the_local_cloud_takes_a_plan_and_another_one_while_it_runs(tmp_path: Path) -> None:
    """All four stand-ins, on ports of their own; the log has every call in order."""
    system = copy_of_the_repository(tmp_path / "copy")
    path, state = tmp_path / "plan.json", tmp_path / "state"
    state.mkdir()
    write(path, seed=5)
    document = yaml.safe_load((system.root / "Pulumi.local.yaml").read_text())
    port = {name: urlsplit(document["config"][f"reel:{name}Url"]).port for name in ("cloudflare", "fly", "modal")}
    port["r2"] = urlsplit(document["config"]["reel:r2Endpoint"]).port
    paths = {"cloudflare": "client/v4/user", "fly": "v1/apps/a", "r2": "b/k"}
    calls = [(service, f"http://127.0.0.1:{port[service]}/{path_}") for service, path_ in paths.items()]
    with local_cloud(system.root, state, path):
        before = [httpx.get(url, timeout=60).status_code for _, url in calls]
        write(path, *(rule(service, "*", "server_error", status=503, nth=1) for service, _ in calls), seed=6)
        during = [httpx.get(url, timeout=60).status_code for _, url in calls]
        after = [httpx.get(url, timeout=60).status_code for _, url in calls]
    assert 503 not in before
    assert during == [503] * 3
    assert after == before
    lines = [json.loads(line) for line in (state / "calls.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines if "seed" in line] == [5, 6]
    made = [(line["service"], line["fault"]) for line in lines if "service" in line]
    assert made == [(service, fault) for fault in ("", "server_error", "") for service, _ in calls]
    assert "faults: seed 6, 3 rules" in (tmp_path / "log").read_text()

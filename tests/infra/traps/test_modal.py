"""Traps of Modal."""

import ast
import json
import re
import subprocess
import sys

import pytest

from infra.deploy import modal
from infra.sources import ROOT
from tests.infra.deploy.test_modal import TARGET, Client, secret_request

GPU_APP = ast.parse((ROOT / "gpu/app.py").read_text())


def functions() -> list[tuple[ast.FunctionDef, ast.Call]]:
    """Each function that is deployed, with its decorator's call."""
    return [
        (node, mark)
        for node in GPU_APP.body
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "app.function"
    ]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    return Client(monkeypatch)


def test_no_function_is_a_generator() -> None:
    """Only a plain function can be spawned; progress goes another way."""
    found = functions()
    assert {function.name for function, _ in found} == {
        "probe",
        "render",
        "derive",
        "track",
        "upscale",
        "upscale_chunk",
    }
    for function, _ in found:
        assert not [node for node in ast.walk(function) if isinstance(node, ast.Yield | ast.YieldFrom)]


def test_functions_mount_no_bucket_and_are_bounded() -> None:
    """They get presigned addresses, so no key of the bucket is at Modal; a flood cannot start machines without end."""
    assert "CloudBucketMount" not in ast.unparse(GPU_APP)
    for _, mark in functions():
        given = {each.arg: each.value for each in mark.keywords}
        assert {"timeout", "retries", "max_containers", "scaledown_window"} <= given.keys()
        assert not given.keys() & {
            "volumes",
            "keep_warm",
            "concurrency_limit",
            "container_idle_timeout",
            "min_containers",
        }
        assert "modal.Retries" in ast.unparse(given["retries"] or ast.Constant(None))


def test_the_app_can_be_read_without_credentials() -> None:
    code = "import gpu.app; print(gpu.app.app.name)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "", "MODAL_CONFIG_PATH": "nowhere.toml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "reel-ballers"


def test_a_deployment_names_module_environment_name_and_strategy(client: Client) -> None:
    """None of them has a default that is ours: another one would deploy beside the app that the backend calls."""
    client.apps = {"reel-ballers": "deployed"}
    modal.deploy(json.dumps({**TARGET, "app": "reel-ballers"}))
    [words] = client.called("deploy")
    expected = {"-m": "gpu.app", "--name": "reel-ballers", "--env": "staging", "--strategy": "rolling"}
    assert {flag: words[words.index(flag) + 1] for flag in expected} == expected


def test_a_secret_that_is_there_is_replaced(client: Client) -> None:
    client.secrets = ["reel-ballers-gpu"]
    modal.secret(secret_request())
    [words] = client.called("secret", "create")
    assert "--force" in words
    assert words[words.index("--env") + 1] == "staging"


def test_every_call_names_the_environment(client: Client) -> None:
    client.secrets, client.apps = ["reel-ballers-gpu"], {"reel-ballers": "deployed"}
    for step, inputs in _steps():
        modal.STEPS[step](inputs)
    named = [words for words, _ in client.calls if words[0] != "environment"]
    assert len(named) >= 6
    assert [words for words in named if "--env" not in words] == []
    asking = [words for words in named if words[:2] in (["app", "stop"], ["secret", "delete"])]
    assert len(asking) == 2
    assert [words for words in asking if "--yes" not in words] == []


def _steps() -> list[tuple[str, str]]:
    app = json.dumps({**TARGET, "app": "reel-ballers"})
    return [("secret", secret_request()), ("deploy", app), ("stop", app), ("delete-secret", secret_request())]


def test_prices_carry_their_date_and_their_source() -> None:
    table = json.loads((ROOT / "infra/prices.json").read_text())
    assert re.findall(r"20\d\d-\d\d-\d\d", json.dumps(table))
    unsourced = [name for name, price in table["prices"].items() if not price.get("source")]
    assert unsourced == []

"""Traps of Pulumi and of its command provider."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from infra.config import SECRET_KEYS
from infra.deploy.__main__ import STEPS
from infra.sources import ROOT
from tests.infra.deploy import flyctl_stub
from tests.infra.test_stack import STACKS, inputs, names

# A child of the engine finds these in its environment by itself.
CREDENTIALS = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL", re.IGNORECASE)
STEP_WORDS = re.compile(r"\.venv/bin/python -m infra\.deploy [a-z]+ [a-z-]+")


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_one_place_makes_commands_and_it_knows_no_triggers() -> None:
    makers = [path for path in python_files("infra") if re.search(r"pulumi_command", path.read_text())]
    assert [path.relative_to(ROOT).as_posix() for path in makers] == ["infra/components/command.py"]
    [call] = [
        node
        for node in ast.walk(ast.parse(makers[0].read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "local.Command"
    ]
    given = {each.arg for each in call.keywords}
    assert None not in given, "`**` could bring anything"
    assert not given & {"triggers", "archive_paths", "asset_paths"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_command_line_holds_no_input(stack: str) -> None:
    for name in names(stack, "Command"):
        given = inputs(stack, name)
        lines = [given[verb] for verb in ("create", "update", "delete") if given.get(verb)]
        assert lines
        assert [line for line in lines if not STEP_WORDS.fullmatch(line)] == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_cloud_credential_is_an_input_of_a_command(stack: str) -> None:
    """The backend's own keys may be: they are the secrets that it gets, not those that a step works with."""
    for name in names(stack, "Command"):
        given = inputs(stack, name)
        assert not [key for key in given.get("environment") or {} if CREDENTIALS.search(key)]


def test_what_a_failing_step_prints_has_no_secret(tmp_path: Path) -> None:
    """The engine prints all output of a failed command, whatever `logging` says; flyctl repeats lines it dislikes."""
    stub = flyctl_stub.install(tmp_path)
    said = 'Error: could not parse secrets: invalid line: "BETA=s3cret-value" (token t0ken-value)'
    stub.replies(("secrets", {"stderr": said, "stdout": said, "exit": 1}))
    request = {"app": "orbit-api", "fly_url": None, "secrets": {"BETA": "s3cret-value"}}
    done = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "fly", "secrets"],
        cwd=ROOT,
        env={**flyctl_stub.environment(tmp_path), "FLY_ACCESS_TOKEN": "t0ken-value"},
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "could not parse secrets" in done.stderr
    assert "s3cret-value" not in done.stdout + done.stderr
    assert "t0ken-value" not in done.stdout + done.stderr


def test_no_step_loads_pulumi() -> None:
    """A step is a process of its own, and the Cloudflare package alone takes a second to load."""
    modules = [f"infra.deploy.{tool}" for tool in STEPS]
    code = f"import importlib, sys; [importlib.import_module(m) for m in {modules}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.partition(".")[0].startswith("pulumi")]


def test_bytecode_is_made_once_at_set_up() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^unexport PYTHONDONTWRITEBYTECODE$", makefile, re.MULTILINE)
    assert re.search(r"uv pip sync .*--compile-bytecode", makefile)


def test_no_test_uses_pulumis_mocks() -> None:
    """Under them a preview skips what depends on unknowns, protection is invisible and provider secrets are plain."""
    word = "set_" + "mocks"
    assert [path.name for path in python_files("tests", "infra") if word in path.read_text()] == []


def test_the_program_runs_in_the_virtual_environment_of_the_locks() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
    assert project["main"] == "infra/"
    # Unnamed, the toolchain is pip, which the engine looks for in that environment.
    subprocess.run([sys.executable, "-m", "pip", "--version"], check=True, capture_output=True)
    assert (ROOT / ".venv/bin/pip").exists()


def test_every_declared_key_has_type_and_description_and_secrets_are_secret() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert [key for key, schema in declared.items() if not {"type", "description"} <= schema.keys()] == []
    assert {key for key, schema in declared.items() if schema.get("secret")} == set(SECRET_KEYS)
    assert not [key for key in SECRET_KEYS if "default" in declared[key]]


@pytest.mark.parametrize("document", ["docs/going-live.md"])
def test_the_documented_address_of_a_state_bucket_is_one_that_r2_takes(document: str) -> None:
    """Without the last option the engine's client sends checksums that R2 refuses."""
    addresses = re.findall(r"s3://[^\s'`\"]+", (ROOT / document).read_text())
    assert addresses
    for address in addresses:
        options = parse_qs(urlsplit(address).query)
        assert options.pop("endpoint")[0].endswith(".r2.cloudflarestorage.com")
        assert options == {
            "region": ["auto"],
            "s3ForcePathStyle": ["true"],
            "request_checksum_calculation": ["when_supported"],
        }


def test_what_to_do_about_a_lock_that_stayed_is_written_down() -> None:
    """A run that was killed leaves its lock at the backend, and every later one is refused."""
    steps = (ROOT / "docs/runbooks/cancel.md").read_text()
    assert re.search(r"pulumi cancel -s \w+ --yes", steps)


def test_the_program_loads_of_cloudflares_package_only_what_it_declares() -> None:
    """All 780 modules of it take a second and 60 MB in every run of the engine."""
    code = "import infra.stack, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = [name for name in done.stdout.split() if name.startswith("pulumi_cloudflare.")]
    assert "pulumi_cloudflare.r2_bucket" in loaded
    assert len(loaded) < 30

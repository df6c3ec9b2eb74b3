"""What README.md tells people to type exists and means what it says. `make up` itself is tests/e2e."""

import re
import subprocess
import sys

import pytest

from infra.config import known_keys
from infra.deploy.__main__ import STEPS
from infra.sources import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_every_make_target_it_names_exists() -> None:
    named = set(re.findall(r"make ([a-z][a-z-]*)", README)) - {"are", "it"}
    assert {"up", "test", "dev", "down"} <= named <= TARGETS | {"sure"}


def test_every_make_target_has_a_line_of_help() -> None:
    helped = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert TARGETS - helped <= {"browser"}


@pytest.mark.parametrize("target", ["help", "down"])
def test_harmless_commands_run(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_stack_key_it_names_exists() -> None:
    named = set(re.findall(r"reel:([A-Za-z]\w*)", README))
    assert named
    assert named <= set(known_keys())


def test_every_module_it_runs_exists() -> None:
    modules = set(re.findall(r"python -m ([\w.]+) (\w+)", README))
    assert ("infra.deploy", "verify") in modules
    for module, word in modules:
        done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, capture_output=True, text=True, check=False)
        assert "No module named" not in done.stderr
        assert module != "infra.deploy" or word in STEPS


DOCUMENTS = ["README.md", "ARCHITECTURE.md", "infra/README.md", "app/README.md", "app/web/README.md", "gpu/README.md"]


@pytest.mark.parametrize("document", [*DOCUMENTS, "tests/README.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_path_of_the_architecture_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    top = ""
    for line in re.findall(r"^    .*$", text.split("## Directions")[0], re.MULTILINE):
        indent = len(line) - len(line.lstrip())
        names = [name for name in re.split(r"\s{2,}", line.strip())[0].split() if name]
        top = names[0] if indent == 4 else top
        for name in names:
            folder = ROOT if indent == 4 else ROOT / top
            assert list(folder.glob(name.rstrip("/"))), f"{line.strip()}: {name} is not there"

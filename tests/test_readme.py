"""What README.md tells people to type exists and means what it says. `make up` itself is tests/e2e."""

import importlib.util
import re
import subprocess

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
    told = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {key for path in told for key in re.findall(r"reel:([A-Za-z]\w*)", path.read_text())}
    assert {"image", "siteDigest", "bucketKeys"} <= named
    assert named <= set(known_keys())


def test_every_module_that_people_are_told_to_run_exists() -> None:
    told = [ROOT / name for name in DOCUMENTS] + sorted((ROOT / "docs").rglob("*.md"))
    modules = {found for path in told for found in re.findall(r"python -m ([\w.]+)(?: ([a-z-]+))?", path.read_text())}
    assert {("infra.deploy", "fly"), ("infra.release", "roll-back")} <= modules
    for module, word in modules:
        assert importlib.util.find_spec(module), module
        assert module != "infra.deploy" or not word or word in STEPS


DOCUMENTS = ["README.md", "ARCHITECTURE.md", "infra/README.md", "app/README.md", "app/web/README.md", "gpu/README.md"]
DOCUMENTS += ["infra/policy/README.md", "infra/release/README.md", "infra/picture/README.md", "docs/going-live.md"]


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

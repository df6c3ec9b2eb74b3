"""A copy of the repository that is brought up as a user would, on ports and a state of its own."""

import contextlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.localcloud.stackfile import credentials
from infra.sources import ROOT
from tests.ports import free_ports

PORTS = (8000, 5173, 9400, 9401, 9404)
INSTALLED = (".venv", "app/web/node_modules")
COMMAND_TIMEOUT_S = 800


@dataclass
class System:
    root: Path

    @property
    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / ".local/outputs.json").read_text())
        return found

    @property
    def changed(self) -> dict[str, str]:
        """What the last apply changed: resource name to operation."""
        changes = json.loads((self.root / ".local/rehearsal.json").read_text())["changes"]
        return {urn.rpartition("::")[2]: change for urn, change in changes.items() if change != "same"}

    @property
    def cloud_pid(self) -> int:
        return int(json.loads((self.root / ".local/cloud/cloud.json").read_text())["pid"])

    @property
    def machine_environment(self) -> dict[str, str]:
        """Environment of the process that runs the deployed backend."""
        for process in psutil.Process(self.cloud_pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # one that ends while it is looked at
                if process.cmdline()[-2:] == ["-m", "app"]:
                    return process.environ()
        raise AssertionError("no machine runs the backend")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`make …` in the copy, with nothing of this machine's Pulumi or clouds in its environment."""
        clouds = ("PULUMI", "CLOUDFLARE", "FLY", "MODAL", "MAKE")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(clouds)}
        return subprocess.Popen(
            ["make", *words],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *words: str, status: int = 0) -> str:
        """Everything `make …` said; fails the test when it ends with another status."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        assert process.returncode == status, said
        return said

    def rehearse(self, verb: str, *words: str, status: int = 0) -> str:
        """Everything `python -m infra.rehearsal …` said, of the stack `local` unless `words` name another."""
        stack = [] if "--stack" in words else ["--stack", "local"]
        command = [".venv/bin/python", "-m", "infra.rehearsal", verb, *stack, *words, "--env-file", "infra/local.env"]
        path = f"{self.root / '.local/bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **credentials(), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{name} does not have {old!r}"
        path.write_text(text.replace(old, new, 1))


def copy_of_the_repository(target: Path) -> System:
    """What a commit of the working tree would hold, with what `make setup` installed linked in."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for name in INSTALLED:
        (target / name).symlink_to(ROOT / name, target_is_directory=True)
    system = System(target)
    _take_free_ports(target / "Pulumi.local.yaml")
    return system


def _take_free_ports(stack_file: Path) -> None:
    """The Modal stand-in takes two in a row."""
    text = stack_file.read_text()
    *free, modal, _ = free_ports(len(PORTS) + 2)
    for port, own in zip(PORTS, free, strict=True):
        text = text.replace(f":{port}", f":{own}")
    stack_file.write_text(re.sub(r":9402\b", f":{modal}", text))

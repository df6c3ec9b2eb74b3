"""One account on loopback with several stacks in it: a copy of the repository, its stand-ins, a front for each app."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.localcloud.stackfile import credentials
from tests.e2e.system import System, copy_of_the_repository
from tests.ports import free_ports

ACCOUNT_KEYS = ("accountId", "r2Endpoint", "cloudflareUrl", "modalUrl", "flyUrl", "modalTokenId", "modalTokenSecret")
DOMAIN = {"reel:domain": "reelballers.test", "reel:zoneId": "20ca20ca20ca20ca20ca20ca20ca20ca"}
START_TIMEOUT_S = 90
UP_TIMEOUT_S = 800


@dataclass
class Account:
    """`fronts`: where the app of each stack answers; `path`: folders with the stand-in's `flyctl`."""

    system: System
    fronts: dict[str, int]

    @property
    def root(self) -> Path:
        return self.system.root

    def stack_file(self, stack: str) -> Path:
        return self.root / f"Pulumi.{stack}.yaml"

    def configure(self, stack: str, **changes: object) -> None:
        """Set keys of a stack file, None to drop one."""
        document = yaml.safe_load(self.stack_file(stack).read_text())
        for key, value in changes.items():
            document["config"].pop(f"reel:{key}", None)
            if value is not None:
                document["config"][f"reel:{key}"] = value
        self.stack_file(stack).write_text(yaml.safe_dump(document))

    def begin(self, verb: str, stack: str, *words: str) -> "subprocess.Popen[str]":
        command = [".venv/bin/python", "-m", "infra.rehearsal", verb, "--stack", stack, *words]
        path = f"{self.root / '.local/bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [*command, "--env-file", "infra/local.env", "--result", str(self.result(stack))],
            cwd=self.root,
            env={**os.environ, **credentials(), "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, verb: str, stack: str, *words: str, status: int = 0) -> dict[str, Any]:
        """The run's report; fails the test when it ends with another status."""
        process = self.begin(verb, stack, *words)
        said, _ = process.communicate(timeout=UP_TIMEOUT_S)
        assert process.returncode == status, said
        report: dict[str, Any] = json.loads(self.result(stack).read_text())
        return report

    def result(self, stack: str) -> Path:
        return self.root / f".local/{stack}-result.json"

    def flyctl(self, *words: str) -> Any:
        address = self.config("local")["reel:flyUrl"]
        names = ("FLY_API_BASE_URL", "FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL")
        environment = {**os.environ, **credentials(), **dict.fromkeys(names, address)}
        done = subprocess.run(
            [str(self.root / ".local/bin/flyctl"), *words, "--json"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def config(self, stack: str) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.stack_file(stack).read_text())["config"]
        return found


def changed(report: dict[str, Any]) -> dict[str, str]:
    """What a run changed: resource name to operation."""
    return {urn.rpartition("::")[2]: change for urn, change in report["changes"].items() if change != "same"}


@contextmanager
def account(folder: Path, stacks: dict[str, str]) -> Iterator[Account]:
    """`stacks`: name of each stack to its Fly app. The committed stack files get loopback addresses, nothing else."""
    system = copy_of_the_repository(folder)
    made = Account(system, dict(zip(stacks, free_ports(len(stacks)), strict=True)))
    for stack in stacks:
        if made.stack_file(stack).exists():
            _lead_to_loopback(made, stack)
    fronts = [word for stack, app in stacks.items() for word in ("--front", f"{app}={made.fronts[stack]}")]
    log = system.root / ".local/cloud.log"
    log.parent.mkdir(parents=True)
    _install_flyctl(system.root)
    with log.open("w") as out:
        cloud = subprocess.Popen(
            [".venv/bin/python", "-m", "infra.localcloud", "serve", "--state", ".local/cloud", *fronts],
            cwd=system.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
    try:
        line = cloud.stdout.readline() if cloud.stdout else ""
        assert json.loads(line or "{}").get("ready"), log.read_text()
        yield made
    finally:
        cloud.terminate()
        cloud.wait(START_TIMEOUT_S)


def _lead_to_loopback(account: Account, stack: str) -> None:
    local = yaml.safe_load(account.stack_file("local").read_text())
    document = yaml.safe_load(account.stack_file(stack).read_text())
    document["encryptionsalt"] = local["encryptionsalt"]
    document["config"] |= {f"reel:{key}": local["config"][f"reel:{key}"] for key in ACCOUNT_KEYS}
    if "reel:domain" in document["config"]:
        document["config"] |= DOMAIN
    document["config"]["reel:apiUrl"] = f"http://127.0.0.1:{account.fronts[stack]}"
    account.stack_file(stack).write_text(yaml.safe_dump(document))


def _install_flyctl(root: Path) -> None:
    command = root / ".local/bin/flyctl"
    command.parent.mkdir(parents=True)
    python = root / ".venv/bin/python"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{python}" -m infra.localcloud.fly.flyctl "$@"\n')
    command.chmod(0o755)

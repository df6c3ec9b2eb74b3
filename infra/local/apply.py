"""Apply the local stack: with the Pulumi CLI where it is on PATH, otherwise as a rehearsal of the same program."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from infra.local.paths import BIN, LOCAL, OUTPUTS, PYTHON, STATE
from infra.localcloud.stackfile import CREDENTIALS, STACK, credentials
from infra.sources import ROOT


class ApplyError(Exception):
    """The stack was not applied; what went wrong is on standard error already."""


def apply() -> tuple[dict[str, Any], bool]:
    """Outputs of the stack, and whether anything had to change; raises ApplyError."""
    _install_flyctl()
    outputs, changed = _pulumi() if shutil.which("pulumi") else _rehearse()
    OUTPUTS.write_text(json.dumps(outputs, indent=2) + "\n")
    return outputs, changed


def _rehearse() -> tuple[dict[str, Any], bool]:
    result = LOCAL / "rehearsal.json"
    command = [str(PYTHON), "-m", "infra.rehearsal", "up", "--stack", STACK, "--state", str(STATE)]
    _run([*command, "--env-file", str(CREDENTIALS), "--result", str(result)])
    report = json.loads(result.read_text())
    return report["outputs"], any(change != "same" for change in report["changes"].values())


def _pulumi() -> tuple[dict[str, Any], bool]:
    _run(["pulumi", "stack", "select", "--create", STACK, "--secrets-provider", "passphrase"])
    _run(["pulumi", "up", "--stack", STACK, "--yes", "--skip-preview"])
    outputs = json.loads(_read(["pulumi", "stack", "output", "--stack", STACK, "--json"]))
    last = json.loads(_read(["pulumi", "stack", "history", "--stack", STACK, "--json", "--page-size", "1"]))[0]
    return outputs, set(last.get("resourceChanges", {})) - {"same"} != set()


def environment() -> dict[str, str]:
    """The ambient environment with the stand-ins' credentials and commands in front of everything else."""
    return {
        **os.environ,
        **credentials(),
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "PULUMI_BACKEND_URL": f"file://{LOCAL}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _run(command: list[str]) -> None:
    status = subprocess.run(command, cwd=ROOT, env=environment(), stdout=sys.stderr, check=False).returncode
    if status != 0:
        raise ApplyError(f"{' '.join(command[:4])} … ended with exit status {status}; run `make up` again to go on")


def _read(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ApplyError(f"{' '.join(command[:4])} … ended with exit status {done.returncode}")
    return done.stdout


def _install_flyctl() -> None:
    """`flyctl` on loopback is the stand-in's; it comes first on PATH so that the real one is never called here."""
    BIN.mkdir(parents=True, exist_ok=True)
    command = BIN / "flyctl"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{PYTHON}" -m infra.localcloud.fly.flyctl "$@"\n')
    command.chmod(0o755)

"""From a stack's name to its outputs, by Pulumi, which must be here for it, and to what its file asks for."""

import json
import os
import shutil
from typing import Any

from infra.config import StackConfig
from infra.deploy.errors import DeployError
from infra.deploy.process import run
from infra.sources import ROOT
from infra.stack_file import config_of

TIMEOUT_S = 120


def stack_outputs(stack: str) -> dict[str, Any]:
    """Secrets included, so keep them to yourself; raises DeployError."""
    if shutil.which("pulumi") is None:
        raise DeployError(
            f"pulumi is not on PATH, so the outputs of {stack} cannot be asked for; docs/going-live.md says how to "
            "install it, or give a file of outputs"
        )
    command = ["pulumi", "stack", "output", "--json", "--show-secrets", "-s", stack]
    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    text = run(command, cwd=ROOT, timeout_s=TIMEOUT_S, secrets=(passphrase,), quiet=True)
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        raise DeployError(f"`pulumi stack output -s {stack}` printed no JSON") from None
    if not found:
        raise DeployError(f"the stack {stack} has no outputs yet: run `pulumi up -s {stack}`")
    outputs: dict[str, Any] = found
    return outputs


def settings(stack: str) -> StackConfig:
    """Of `STACK` or `ORGANIZATION/PROJECT/STACK`, without its secrets; raises ConfigError."""
    return config_of(stack.rpartition("/")[2])

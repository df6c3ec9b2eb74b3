"""Back to the release before: its program, its stack file, its image and its site.

Configuration and secrets are functions of the program and the stack file, so they come back with the commit; the image
is taken by its digest instead of being built again. The site is built again and must have the digest that it had.
"""

import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.release.deployed import Deployed, check
from infra.release.engine import Engine
from infra.release.errors import ReleaseError
from infra.release.worktree import checked_out
from infra.sources import ROOT

RUNBOOK = "docs/runbooks/rollback.md"

Open = Callable[[Path], Engine]
"""The engine for a program in a folder."""

Verify = Callable[[Path, dict[str, Any]], bool]
"""Whether a stack is what its outputs say, as the program in a folder sees it."""


def roll_back(stack: str, before: Deployed | None, engine: Open, verify: Verify, root: Path = ROOT) -> str:
    """A sentence that says what runs now; raises ReleaseError where the release before does not run or not verify."""
    target = check(before, stack)
    with checked_out(target.commit, root) as tree, tempfile.TemporaryDirectory(prefix="settings-") as scratch:
        settings = _settings(stack, tree, Path(scratch))
        then = engine(tree)
        then.set_config(stack, settings, "reel:image", target.image)
        # A stack file that was committed with the digest of an older site would refuse the site of its own commit.
        then.set_config(stack, settings, "reel:siteDigest", target.site_digest)
        # Without a value that is new, an image that is still in the state would be no reason to deploy.
        then.set_config(stack, settings, "reel:redeploy", f"{target.commit[:12]}-{uuid.uuid4().hex[:8]}")
        try:
            then.up(stack, settings)
        except ReleaseError as error:
            raise ReleaseError(f"{stack} is NOT rolled back to {target.commit[:12]}: {error}; see {RUNBOOK}") from None
        verified = verify(tree, then.outputs(stack, show_secrets=True))
    runs = f"{stack} runs {target.image} of commit {target.commit[:12]} again"
    if not verified:
        raise ReleaseError(f"{runs}, but it does not verify; see {RUNBOOK}")
    return f"rolled back: {runs}, and it verifies"


def _settings(stack: str, tree: Path, scratch: Path) -> Path:
    """A copy of the stack file outside the tree: a changed tree would go down in the history as one."""
    name = f"Pulumi.{stack}.yaml"
    if not (tree / name).is_file():
        raise ReleaseError(f"{name} is not in the commit to roll back to")
    return Path(shutil.copy(tree / name, scratch / name))


def verify_outputs(tree: Path, outputs: dict[str, Any]) -> bool:
    """`python -m infra.deploy verify` of the program in `tree`; what it found is on standard error."""
    with tempfile.TemporaryDirectory(prefix="outputs-") as scratch:
        path = Path(scratch, "outputs.json")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(outputs, file)
        command = [str(tree / ".venv/bin/python"), "-m", "infra.deploy", "verify", str(path)]
        return subprocess.run(command, cwd=tree, stdout=2, check=False).returncode == 0

"""Which commit this process runs; never fatal, because an image has no repository."""

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

UNKNOWN = "unknown"


@cache
def version() -> str:
    """GIT_SHA when set, else the checkout's commit, else `unknown`."""
    return version_from(os.environ)


def version_from(environment: Mapping[str, str]) -> str:
    given = environment.get("GIT_SHA", "").strip()
    return given[:40] or _from_git() or UNKNOWN


def _from_git() -> str | None:
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    folder = Path(__file__).parent
    try:
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None if run.returncode == 0 else None

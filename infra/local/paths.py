"""Where things lie on this machine; all of it below `.local/`, which git ignores."""

from pathlib import Path

from infra.localcloud.stackfile import STACK
from infra.sources import ROOT

LOCAL = ROOT / ".local"
CLOUD = LOCAL / "cloud"
CLOUD_RECORD = CLOUD / "cloud.json"
CLOUD_LOG = CLOUD / "cloud.log"
STATE = LOCAL / "stacks" / f"{STACK}.json"
OUTPUTS = LOCAL / "outputs.json"
SAMPLE = LOCAL / "sample.mp4"
REELS = LOCAL / "reels"
REPORT = LOCAL / "report.json"
BIN = LOCAL / "bin"
PYTHON = ROOT / ".venv/bin/python"


def shown(path: Path) -> str:
    """A path as a person types it: below the repository's root where it is there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)

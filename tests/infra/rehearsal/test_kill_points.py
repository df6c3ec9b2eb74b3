"""Killed at whichever save of its state, a run is gone on with by the next one, and no command is left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FEWEST_SAVES = {"make": 12, "change": 20, "destroy": 12}
"""Two for each operation at the least; fewer would mean that the kills are not where they should be."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("scenario", sorted(FEWEST_SAVES))
def test_every_save_point(scenario: str, number: str, tmp_path: Path) -> None:
    """The change has a creation, an update, both kinds of replacement and deletions."""
    words = [sys.executable, "-m", "tests.infra.rehearsal.kill_points", scenario, number, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == {}
    assert found["saves"] >= FEWEST_SAVES[scenario]

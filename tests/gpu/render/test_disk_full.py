"""A disk that fills up ends a render with a clear word; the result that was there stays, and nothing else does."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpu.plan.spec import EditSpec

ROOT = Path(__file__).parents[3]
SMALL_DISK = (
    'mount -t tmpfs -o size=160k tmpfs "$1" && printf older > "$1/out.mp4" && '
    '"$2" -m gpu.render "$3" --spec "$4" -o "$1/out.mp4"; status=$?; ls -A "$1"; cat "$1/out.mp4"; exit $status'
)
"""A file system of its own for one shell, which nobody else sees and which is gone with it."""


def _has_namespaces() -> bool:
    tool = shutil.which("unshare")
    probe = [tool or "", "--user", "--map-root-user", "--mount", "true"]
    return tool is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has_namespaces(), reason="this machine gives no mount namespace to its users")
@pytest.mark.parametrize("end", [60, 120])
def test_the_older_result_stays_and_the_reason_is_told(match: Path, tmp_path: Path, end: int) -> None:
    """In one part, and in two in processes of their own."""
    disk, spec = tmp_path / "disk", tmp_path / "spec.json"
    disk.mkdir()
    spec.write_text(EditSpec.of_clip(0, end).model_dump_json())
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh"]
    command = [*shell, str(disk), sys.executable, str(match), str(spec)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert done.stdout.split() == ["out.mp4", "older"]

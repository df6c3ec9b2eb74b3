"""The local cloud's record: a process is ours only while it lives and began when the record says."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from infra.local import cloud


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cloud.json"
    monkeypatch.setattr(cloud, "CLOUD_RECORD", path)
    return path


def write(record: Path, pid: int, started: float) -> None:
    record.write_text(json.dumps({"pid": pid, "started": started, "code": "x"}))


def test_a_living_process_is_found(record: Path) -> None:
    write(record, os.getpid(), cloud._start_time(os.getpid()) or 0)
    found = cloud.running()
    assert found is not None
    assert found.pid == os.getpid()


def test_a_reused_process_number_is_not_taken_for_ours(record: Path) -> None:
    write(record, os.getpid(), 1.0)
    assert cloud.running() is None
    assert cloud.stop() is False


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"pid": 1}'])
def test_a_damaged_record_counts_as_not_running(record: Path, text: str) -> None:
    record.write_text(text)
    assert cloud.running() is None


def test_stop_ends_the_process_and_forgets_it(record: Path) -> None:
    process = subprocess.Popen(["sleep", "600"])
    write(record, process.pid, cloud._start_time(process.pid) or 0)
    assert cloud.stop() is True
    assert process.wait(60) != 0
    assert not record.exists()
    assert cloud.stop() is False

"""The log of an app."""

from pathlib import Path

import pytest

from infra.localcloud.fly import logs
from infra.localcloud.fly.logs import AppLog


def test_tail_gives_the_last_lines_of_one_machine_or_of_all(tmp_path: Path) -> None:
    log = AppLog(tmp_path / "app.jsonl")
    for number in range(5):
        log.write(f"machine{number % 2}", f"line {number}")
    assert [line["message"] for line in log.tail(2)] == ["line 3", "line 4"]
    assert [line["message"] for line in log.tail(10, "machine1")] == ["line 1", "line 3"]
    log.close()


def test_a_log_that_nobody_wrote_is_empty(tmp_path: Path) -> None:
    assert AppLog(tmp_path / "app.jsonl").tail(10) == []


def test_rotates_before_it_grows_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ROTATE_BYTES", 1000)
    log = AppLog(tmp_path / "app.jsonl")
    for number in range(20):
        log.write("machine", f"line {number}")
    log.close()
    assert (tmp_path / "app.1").is_file()
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 3000


def test_reads_only_whole_lines_of_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_READ_BYTES", 500)
    log = AppLog(tmp_path / "app.jsonl")
    for number in range(50):
        log.write("machine", f"line {number}")
    assert [line["message"] for line in log.tail(100)][-1] == "line 49"
    log.close()

"""Running a tool: its output, its failure, its time limit, and nothing secret."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from infra.deploy.errors import DeployError
from infra.deploy.process import redact, run
from infra.deploy.retry import wait_for
from infra.sources import ROOT


def test_standard_output_comes_back_and_input_arrives() -> None:
    assert run(["cat"], stdin="hello\n") == "hello\n"


def test_a_failure_has_the_last_words_and_the_exit_status() -> None:
    with pytest.raises(DeployError, match=r"sh -c .*failed \(exit 3\): the reason"):
        run(["sh", "-c", "echo the reason >&2; exit 3"])


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(DeployError, match="no-such-tool is not installed"):
        run(["no-such-tool"])


def test_a_secret_reaches_neither_log_nor_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeployError) as error:
        run(["sh", "-c", "echo key s3cret; echo s3cret >&2; exit 1"], secrets=["s3cret"])
    said = capfd.readouterr()
    assert "s3cret" not in said.err + said.out + str(error.value)
    assert "[secret]" in said.err


def test_the_longest_secret_goes_first() -> None:
    assert redact("abcdef abc", ["abc", "abcdef", ""]) == "[secret] [secret]"


def test_a_tool_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    # More than a pipe holds: the time limit begins once the tool, whose child has begun, has read it.
    given = "x" * 1_000_000
    with pytest.raises(DeployError, match="did not end within"):
        run(["sh", "-c", f"sleep 600 & echo $! > {pid}; cat > /dev/null; wait"], stdin=given, timeout_s=0.5)
    assert _gone(int(pid.read_text()))


def test_a_tool_that_ignores_its_input_is_no_error() -> None:
    assert run(["true"], stdin="x" * 1_000_000) == ""


def test_a_signal_ends_the_tool_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = textwrap.dedent(f"""
        from infra.deploy.process import run
        run(["sh", "-c", "read begun; echo $$ > {pid}; exec sleep 600"], stdin="comes once signals are handled\\n")
    """)
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    assert wait_for(lambda: pid.read_text().strip() or None if pid.exists() else None, timeout_s=120)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 128 + signal.SIGTERM
    assert _gone(int(pid.read_text()))


def _gone(pid: int) -> bool:
    def probe() -> bool | None:
        try:
            return True if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return True

    return wait_for(probe, timeout_s=120, interval_s=0.05) is True


def test_the_environment_is_laid_over_the_ambient_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT", "1")
    assert run(["sh", "-c", "echo $AMBIENT$ADDED"], env={"ADDED": "2"}) == "12\n"
    assert "ADDED" not in os.environ


def test_only_the_named_variables_are_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMBIENT", "1")
    monkeypatch.setenv("OTHER", "2")
    said = run(["sh", "-c", "echo $AMBIENT$OTHER$ADDED"], env={"ADDED": "3"}, inherit=["AMBIENT", "PATH"])
    assert said == "13\n"

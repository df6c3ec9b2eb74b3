"""`python -m infra.deploy verify OUTPUTS.json`: exit status, what goes where, and files that are no outputs."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.deploy.verify import main
from infra.sources import ROOT
from tests.infra.deploy.world import TOKEN, World

GOOD = dict.fromkeys(("app_url", "api_url", "health_url", "ws_url"), "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        ("not json", "is no JSON"),
        ("[]", "no object"),
        ("{}", "app_url: Field required"),
        (json.dumps({**GOOD, "api_url": ""}), "api_url: Field required"),
        (json.dumps({**GOOD, "api_url": "api.example.com"}), "api_url"),
        (json.dumps({**GOOD, "verify_token": {"secret": "s3cret"}}), "verify_token"),
    ],
)
def test_a_file_that_holds_no_outputs_is_one_error_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    file = tmp_path / "outputs.json"
    if content is not None:
        file.write_text(content)
    assert main([str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1
    assert reason in said.err
    assert "s3cret" not in said.err


@pytest.mark.parametrize("words", [[], ["a", "b"]])
def test_it_takes_one_file(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 2
    assert "usage: python -m infra.deploy verify OUTPUTS.json" in capsys.readouterr().err


def test_what_does_not_answer_fails_with_the_row_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({**GOOD, "landing_url": "", "bucket": "b", "verify_token": TOKEN}))
    assert main([str(file)]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {"ok": False, "failed": ["health", "web app"]}
    assert "failed rows: health, web app" in said.err
    assert TOKEN not in said.out + said.err


async def command(outputs: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    process = [sys.executable, "-m", "infra.deploy", "verify", str(outputs)]
    return await asyncio.to_thread(
        subprocess.run,
        process,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_on_a_stack_in_order(stack: World, tmp_path: Path) -> None:
    """As a process, with a recording of its own; the token is in nothing that it says."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(stack.values()))
    done = await command(outputs)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"ok": True, "failed": []}
    assert "a reel of 60 frames of 1080x1920" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert await stack.keys() == []


async def test_the_command_names_the_row_that_fails(stack: World, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**stack.values(), "version": "another"}))
    done = await command(outputs)
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"ok": False, "failed": ["version"]}
    assert done.stderr.strip().splitlines()[-1] == "verify: failed rows: version"


async def test_sigterm_in_the_middle_still_cleans_up(stack: World, tmp_path: Path) -> None:
    stack.renderer.gate.clear()
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(stack.values()))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.deploy", "verify", str(outputs)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        while (await stack.stored("x"))["exports"] == 0:  # noqa: ASYNC110 -- another process makes them
            await asyncio.sleep(0.05)
    process.terminate()
    _, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 130, said.decode()
    assert set((await stack.stored("x")).values()) == {0}
    assert await stack.keys() == []

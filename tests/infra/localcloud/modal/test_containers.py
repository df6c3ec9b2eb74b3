"""What runs in a container sees its own environment, its own folder, and nothing of the stand-in's process."""

import asyncio
import os
import sys
from pathlib import Path

import modal
import pytest

from infra.localcloud.modal.processes import Process
from tests.infra.localcloud.modal.harness import ENVIRONMENT, eventually, function, is_alive

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_environment_is_limited_to_what_a_worker_gives(client: modal.Client) -> None:
    seen = await function(client, "work").remote.aio("environment")
    assert seen["FROM_SECRET"] == "s3cret"
    assert seen["FROM_IMAGE"] == "a value"
    assert seen["MODAL_ENVIRONMENT"] == ENVIRONMENT
    others = {name for name in seen if not name.startswith(("MODAL_", "FROM_"))}
    assert others <= {"PATH", "HOME", "LANG", "LC_CTYPE", "PYTHONPATH", "PYTHONUNBUFFERED", "TMPDIR"}
    assert "MODAL_TOKEN_SECRET" not in seen


async def test_a_container_is_reused_until_it_ends_and_takes_its_folder_and_descendants_along(
    client: modal.Client,
) -> None:
    work = function(client, "work")
    folder = Path(await work.remote.aio("folder"))
    pid, child = await work.remote.aio("descendants", 300)
    assert folder.name == (await work.remote.aio("environment"))["MODAL_TASK_ID"]
    assert folder.is_dir()
    assert is_alive(child)
    with pytest.raises(modal.exception.RemoteError, match=rf"container {folder.name} of work exited with status 7"):
        await work.remote.aio("crash", 7)
    await eventually(lambda: not is_alive(pid) and not is_alive(child) and not folder.exists())


@pytest.mark.parametrize(
    ("script", "story"),
    [
        ("print('hello')", "exited with status 0"),
        ("raise SystemExit(4)", "exited with status 4"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    ],
)
async def test_a_process_tells_how_it_ended(tmp_path: Path, script: str, story: str) -> None:
    assert await _process(tmp_path, script).run() == story


async def test_a_killed_process_takes_its_descendants_along(tmp_path: Path) -> None:
    script = "import subprocess, time; print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"
    process = _process(tmp_path, script)
    run = asyncio.create_task(process.run())
    log = tmp_path / "log"
    await eventually(lambda: log.exists() and log.read_text().endswith("\n"))
    child = int(log.read_text())
    assert is_alive(child)
    process.kill()
    assert await run == "was killed"
    await eventually(lambda: not is_alive(child))


def _process(folder: Path, script: str) -> Process:
    environment = {"PATH": os.environ["PATH"]}
    return Process(Path(sys.executable), [sys.executable, "-c", script], environment, folder, folder / "log")

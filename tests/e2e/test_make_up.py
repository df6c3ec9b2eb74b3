"""The main job as a new user does it: `make up`, again, after a change, after an interruption, and `make down`."""

import contextlib
import json
import os
import signal
from pathlib import Path

import av
import httpx
import psutil
import pytest

from tests.e2e.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

OUTPUTS = {
    "app_url",
    "api_url",
    "landing_url",
    "health_url",
    "ws_url",
    "bucket",
    "pages_project",
    "fly_app",
    "gpu_app",
    "image",
    "estimated_monthly_cost",
}


def test_up_ends_with_outputs_and_a_real_reel(system: System, first_up: str, reel: Path) -> None:
    assert system.outputs.keys() >= OUTPUTS
    with av.open(str(reel)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        frames = sum(1 for _ in container.decode(video))
    assert (video.width, video.height, video.pix_fmt) == (1080, 1920, "yuv420p")
    assert frames == 180
    assert sound.codec_context.name == "aac"
    for step in ("upload", "export", "download"):
        assert f"step: {step}" in first_up
    assert "180 (6.00 s)" in first_up
    assert "rehearsal, not Pulumi" in first_up


def test_no_secret_is_in_the_state_the_outputs_or_the_log(system: System, first_up: str) -> None:
    state = (system.root / ".local/stacks/local.json").read_text()
    machine = system.machine_environment
    secrets = {machine[name] for name in ("R2_SECRET_ACCESS_KEY", "MODAL_TOKEN_SECRET")}
    secrets |= {"local-cloudflare-token", "local-fly-token"}
    assert len(secrets) == 4
    for value in secrets:
        assert value not in state
        assert value not in json.dumps(system.outputs)
        assert value not in first_up


def test_a_second_up_changes_nothing_and_says_so(system: System, reel: Path) -> None:
    before = reel.stat().st_mtime_ns
    said = system.make("up")
    assert "nothing changed" in said
    assert system.changed == {}
    assert reel.stat().st_mtime_ns == before


def test_smoke_passes_by_the_outputs_alone(system: System, first_up: str) -> None:
    said = system.make("smoke")
    assert "FAIL" not in said
    assert "a reel of 60 frames of 1080x1920" in said


@pytest.mark.parametrize(
    ("name", "old", "new", "again"),
    [
        ("app/main.py", '"""', '"""Changed. ', {"backend-deploy"}),
        ("gpu/contract.py", '"""', '"""Changed. ', {"gpu-deploy", "backend-deploy"}),
        ("app/web/index.html", "</title>", " (changed)</title>", {"app-deploy"}),
        ("infra/stack.py", '"""', '"""Changed. ', set()),
    ],
)
def test_a_change_runs_exactly_the_right_commands(
    system: System, first_up: str, name: str, old: str, new: str, again: set[str]
) -> None:
    system.edit(name, old, new)
    system.make("up")
    assert {name for name, change in system.changed.items() if "pulumi" not in name} - {"reel-local"} == again


def test_an_interrupted_up_is_finished_by_the_next(system: System, first_up: str) -> None:
    system.edit("app/main.py", '"""', '"""Interrupted. ')
    process = system.start("up")
    assert process.stdout is not None
    for line in process.stdout:
        if "backend-deploy" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    said = system.make("up")
    assert "step: export" in said
    assert "nothing changed" in system.make("up")


def test_a_video_that_is_not_one_is_refused_with_a_reason(system: System, first_up: str) -> None:
    fake = system.root / "fake.mp4"
    fake.write_text("this is not a video" * 1000)
    said = system.make("up", f"VIDEO={fake}", status=2)
    assert "cannot be used" in said


def test_a_missing_video_is_refused(system: System, first_up: str) -> None:
    assert "is not a file" in system.make("up", "VIDEO=missing.mp4", status=2)


def test_everything_listens_on_loopback_only(system: System, first_up: str) -> None:
    tree = [psutil.Process(system.cloud_pid), *psutil.Process(system.cloud_pid).children(recursive=True)]
    listening = [each.laddr.ip for process in tree for each in _listeners(process)]
    assert len(listening) >= 8
    assert set(listening) == {"127.0.0.1"}


def test_destroy_keeps_what_users_have_and_the_next_up_finds_it(system: System, first_up: str) -> None:
    before = _reels(system)
    assert before
    said = system.rehearse("destroy", "--exclude-protected", "--yes")
    assert "storage-bucket: protected" in said
    assert httpx.get(system.outputs["health_url"], timeout=60).status_code != 200
    system.make("up")
    assert set(before) <= set(_reels(system))


def test_down_stops_everything_it_started(system: System, first_up: str) -> None:
    cloud = psutil.Process(system.cloud_pid)
    tree = [cloud, *cloud.children(recursive=True)]
    system.make("down")
    assert [process for process in tree if not _ended(process)] == []
    assert "was not running" in system.make("down")
    assert "nothing changed" in system.make("up")


def _ended(process: psutil.Process) -> bool:
    """It may go between two looks at it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _reels(system: System) -> list[str]:
    answer = httpx.get(f"{system.outputs['api_url']}/api/reels", headers={"X-User-ID": "a"}, timeout=60)
    return [reel["id"] for reel in answer.raise_for_status().json()["items"]]


def _listeners(process: psutil.Process) -> list[psutil._ntuples.pconn]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [each for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return []

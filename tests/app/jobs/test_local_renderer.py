import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from app.jobs.local_renderer import LocalRenderer
from app.jobs.media_process import clean_environment, without_url_queries
from app.jobs.renderer import CallLostError, RendererUnavailableError
from gpu.contract import ProbeRequest, RenderProgress, RenderRequest
from gpu.plan.spec import EditSpec
from tests.app.waiting import until_true

COMMAND = (sys.executable, str(Path(__file__).parent / "media_command.py"))


def request(deed: str, note: str = "") -> RenderRequest:
    return RenderRequest(
        progress_key="exp_1-1",
        kind="extract",
        spec=EditSpec.of_clip(in_frame=0, out_frame=3),
        source_urls=(f"http://127.0.0.1/{deed}?X-Amz-Signature=secret#{note}",),
        output_url="http://127.0.0.1/out?X-Amz-Signature=secret",
    )


@pytest.fixture
async def renderer() -> AsyncIterator[LocalRenderer]:
    renderer = LocalRenderer(COMMAND)
    yield renderer
    await renderer.close()


@pytest.fixture
def children() -> Callable[[], int]:
    """How many child processes the test has; another test of this process may have left it one of its own."""
    before = psutil.Process().children()
    return lambda: len([child for child in psutil.Process().children() if child not in before])


async def rendered(renderer: LocalRenderer, deed: str, note: str = "") -> tuple[object, list[int]]:
    seen: list[RenderProgress] = []
    response = await renderer.wait(await renderer.start(request(deed, note)), "exp_1-1", seen.append)
    return response.result or response.error, [progress.frames_done for progress in seen]


async def test_a_probe_gives_facts_or_the_users_error(renderer: LocalRenderer) -> None:
    good = await renderer.probe(ProbeRequest(source_url="http://x/ok"))
    assert good.info is not None
    assert good.info.frame_count == 90
    bad = await renderer.probe(ProbeRequest(source_url="http://x/fail"))
    assert bad.error is not None
    assert bad.error.code == "not_a_video"


async def test_a_render_reports_progress_and_its_result(renderer: LocalRenderer) -> None:
    outcome, frames = await rendered(renderer, "ok")
    assert getattr(outcome, "size_bytes", None) == 5
    assert frames[-1] == 3
    assert frames == sorted(frames)


@pytest.mark.parametrize("deed", ["crash", "no-response", "misfit"])
async def test_a_child_that_breaks_is_an_internal_error(renderer: LocalRenderer, deed: str) -> None:
    outcome, _ = await rendered(renderer, deed)
    assert getattr(outcome, "code", None) == "internal"


async def test_lines_that_are_no_messages_do_not_end_a_render(renderer: LocalRenderer) -> None:
    outcome, frames = await rendered(renderer, "garbage")
    assert getattr(outcome, "size_bytes", None) == 5
    assert frames[-1] == 3


async def test_the_log_of_a_crash_has_no_presigned_query(
    renderer: LocalRenderer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await rendered(renderer, "crash")
    assert "working on http://127.0.0.1/crash?..." in caplog.text
    assert "secret" not in caplog.text


async def test_the_child_gets_no_credential_and_the_hosts_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("R2_SECRET_ACCESS_KEY", "MODAL_TOKEN_SECRET", "STRIPE_SECRET_KEY", "REDIS_URL", "FLY_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "hidden")
    renderer = LocalRenderer(COMMAND, media_hosts="127.0.0.1:9400")
    outcome, _ = await rendered(renderer, "environment")
    names = set(getattr(outcome, "message", "").strip("[]").replace('"', "").split(", "))
    assert "PATH" in names
    assert "MEDIA_HOSTS" in names
    assert names - {"MEDIA_HOSTS", "LC_CTYPE"} <= set(clean_environment(dict.fromkeys(names, "")))


@pytest.mark.parametrize("deed", ["slow", "stubborn"])
async def test_cancelling_ends_the_whole_process_group(
    renderer: LocalRenderer, tmp_path: Path, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.media_process._GRACE_S", 0.3)
    note = tmp_path / "pids"
    call_id = await renderer.start(request(deed, str(note)))
    await until_true(lambda: note.exists() and len(note.read_text().split()) == 3)
    parent, child, niceness = map(int, note.read_text().split())
    assert niceness >= 10
    await renderer.cancel(call_id)
    await until_true(lambda: not alive(parent) and not alive(child))
    with pytest.raises(CallLostError):
        await renderer.wait(call_id, "", lambda _: None)


async def test_a_child_that_is_killed_leaves_no_process(renderer: LocalRenderer, tmp_path: Path) -> None:
    """As when the system runs out of memory and ends the largest process of a group."""
    outcome, _ = await rendered(renderer, "orphaning", str(tmp_path / "pids"))
    assert getattr(outcome, "code", None) == "internal"
    _, child, _ = map(int, (tmp_path / "pids").read_text().split())
    await until_true(lambda: not alive(child))


async def test_renders_beyond_the_bound_wait_and_say_so(tmp_path: Path, children: Callable[[], int]) -> None:
    renderer = LocalRenderer(COMMAND, slots=2)
    notes = [tmp_path / str(number) for number in range(3)]
    calls = [await renderer.start(request("slow", str(note))) for note in notes]
    seen: list[RenderProgress] = []
    waiting = asyncio.create_task(renderer.wait(calls[2], "", seen.append))
    await until_true(lambda: notes[0].exists() and notes[1].exists())
    assert children() == 2
    assert seen == [RenderProgress(phase="queued", frames_done=0, frames_total=0)]
    await renderer.cancel(calls[0])
    await until_true(notes[2].exists)
    await renderer.close()
    await asyncio.wait([waiting])
    assert children() == 0


async def test_a_render_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    renderer = LocalRenderer(COMMAND, slots=1)
    first = await renderer.start(request("slow", str(tmp_path / "first")))
    second = await renderer.start(request("slow", str(tmp_path / "second")))
    await renderer.cancel(second)
    await renderer.cancel(first)
    outcome, _ = await rendered(renderer, "ok")
    assert getattr(outcome, "size_bytes", None) == 5
    assert not (tmp_path / "second").exists()


async def test_the_time_of_a_render_does_not_run_while_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = LocalRenderer(COMMAND, slots=1, render_limit_s=1000.0)
    late = asyncio.create_task(rendered(renderer, "slow", str(tmp_path / "pids")))
    await until_true((tmp_path / "pids").exists)
    queued = asyncio.Event()
    call_id = await renderer.start(request("ok"))
    waiting = asyncio.create_task(renderer.wait(call_id, "", lambda _: queued.set()))
    await queued.wait()
    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + 1001)
    outcome, _ = await late
    assert "longer than 1000 s" in getattr(outcome, "message", "")
    response = await waiting
    assert response.result is not None
    assert response.result.size_bytes == 5


async def test_probes_have_a_bound_of_their_own(tmp_path: Path, children: Callable[[], int]) -> None:
    renderer = LocalRenderer(COMMAND, slots=1)
    call = await renderer.start(request("slow", str(tmp_path / "render")))
    notes = [tmp_path / str(number) for number in range(3)]
    probing = [asyncio.create_task(renderer.probe(ProbeRequest(source_url=f"http://x/slow#{note}"))) for note in notes]
    await until_true(lambda: notes[0].exists() and notes[1].exists())
    assert children() == 3
    for task in probing:
        task.cancel()
    await asyncio.wait(probing)
    await renderer.cancel(call)


async def test_what_a_killed_child_left_in_its_temporary_folder_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    await rendered(LocalRenderer(COMMAND), "orphaning", str(tmp_path / "pids"))
    assert (tmp_path / "pids").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_cancelling_the_wait_ends_the_child(renderer: LocalRenderer, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    call_id = await renderer.start(request("slow", str(note)))
    waiting = asyncio.create_task(renderer.wait(call_id, "", lambda _: None))
    await until_true(lambda: note.exists() and len(note.read_text().split()) == 3)
    waiting.cancel()
    await asyncio.wait([waiting])
    parent, child, _ = map(int, note.read_text().split())
    await until_true(lambda: not alive(parent) and not alive(child))


async def test_a_render_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    renderer = LocalRenderer(COMMAND, render_limit_s=1.0)
    note = tmp_path / "pids"
    outcome, _ = await rendered(renderer, "slow", str(note))
    assert "longer than 1 s" in getattr(outcome, "message", "")


async def test_an_unknown_call_is_lost(renderer: LocalRenderer) -> None:
    with pytest.raises(CallLostError):
        await renderer.wait("local-0", "", lambda _: None)
    await renderer.cancel("local-0")


async def test_a_command_that_does_not_exist_is_unavailable() -> None:
    renderer = LocalRenderer(("/nonexistent/python",))
    with pytest.raises(RendererUnavailableError):
        await renderer.start(request("ok"))
    with pytest.raises(RendererUnavailableError):
        await renderer.check()


def test_queries_are_cut_from_every_url() -> None:
    text = "GET http://h/a?X-Amz-Signature=1 and 'https://h/b?c=d' end"
    assert without_url_queries(text) == "GET http://h/a?... and 'https://h/b?...' end"


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

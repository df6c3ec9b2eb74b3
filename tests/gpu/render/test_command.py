"""The commands: for programs JSON in and JSON lines out, for people files; and what a signal leaves behind."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import psutil
import pytest

from gpu.contract import ProbeResponse, RenderProgress, RenderRequest, RenderResponse
from gpu.plan.spec import ClipEdit, EditSpec, OutputSize
from gpu.render.__main__ import ENGINES
from gpu.render.engines import ffmpeg
from gpu.render.engines.choose import Wanted
from gpu.render.hosts import VARIABLE
from gpu.render.progress import Meter
from gpu.render.source import BLOCK_BYTES
from tests.gpu.render.rendering import numbers_in, panning, plan_of
from tests.gpu.render.storage import SIGNATURE, Storage
from tests.gpu.render.videos import write_video
from tests.gpu.render.waiting import PATIENCE_SECONDS, left_of, until

ENDED_BY_SIGTERM = 128 + signal.SIGTERM


@pytest.fixture
def stored(storage: Storage, match: Path) -> Storage:
    storage.objects["game.mp4"] = match.read_bytes()
    return storage


@pytest.fixture
def stalled(storage: Storage, tmp_path: Path) -> Storage:
    """Answers whoever reads the recording first, which is its probe: the parts of a render wait, however fast it is.

    The recording is two parts long, and a single range.
    """
    video = write_video(tmp_path / "small.mp4", 120, size=(160, 90)).read_bytes()
    assert len(video) < BLOCK_BYTES
    storage.objects["game.mp4"] = video
    storage.hold("GET", after=1)
    return storage


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a child whose temporary files are in `tmp`; it writes bytecode, to start sooner."""
    (tmp_path / "tmp").mkdir()
    passed = {name: value for name, value in os.environ.items() if name not in (VARIABLE, "PYTHONDONTWRITEBYTECODE")}
    return {**passed, "TMPDIR": str(tmp_path / "tmp")}


def request(storage: Storage, spec: EditSpec) -> str:
    return RenderRequest(
        progress_key="key",
        kind="framing",
        spec=spec,
        source_urls=(storage.url("game.mp4"),),
        output_url=storage.url("reel.mp4"),
    ).model_dump_json()


def run(environment: dict[str, str], *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpu.render", *words]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, env=environment, timeout=250, check=False
    )


@contextmanager
def started(environment: dict[str, str], text: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A render that is killed at the end of the test if it still runs."""
    command = [sys.executable, "-m", "gpu.render", "--request", "render", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(text)
            process.stdin.close()
            process.stdin = None
            yield process
        finally:
            process.kill()


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def family_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All that the command started, as soon as a part is among them: the crew is its parent."""
    command = psutil.Process(process.pid)

    def with_a_part() -> list[psutil.Process] | None:
        family = command.children(recursive=True)
        return family if any(one.children() for one in family) else None

    return until(with_a_part, "no part was begun")


def wait_for(process: subprocess.Popen[str], phase: str, frames: int = 0) -> None:
    """Returns once the render has reported this phase and number of frames."""
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if message["phase"] == phase and message["frames_done"] >= frames:
            return
    raise AssertionError(f"it ended before {phase} {frames}")


def test_probe_answers_in_one_line(stored: Storage, environment: dict[str, str]) -> None:
    done = run(environment, "--request", "probe", text=json.dumps({"source_url": stored.url("game.mp4")}))
    (message,) = lines(done.stdout)
    assert (done.returncode, message.pop("type")) == (0, "response")
    info = ProbeResponse.model_validate(message).info
    assert info is not None
    assert info.frame_count == 120


def test_render_reports_progress_and_ends_with_the_response(stored: Storage, environment: dict[str, str]) -> None:
    done = run(environment, "--request", "render", text=request(stored, panning(0, 60)))
    *progress, last = lines(done.stdout)
    assert (done.returncode, last.pop("type")) == (0, "response")
    result = RenderResponse.model_validate(last).result
    assert result is not None
    assert result.size_bytes == len(stored.objects["reel.mp4"])
    assert {one.pop("type") for one in progress} == {"progress"}
    counts = [RenderProgress.model_validate(one).frames_done for one in progress]
    assert counts == sorted(counts)
    assert counts[-1] == 60


@pytest.mark.parametrize("text", ['{"source_url": 5}', "[]", "no JSON", ""])
def test_a_request_that_is_none_is_an_error_response(environment: dict[str, str], text: str) -> None:
    done = run(environment, "--request", "probe", text=text)
    (message,) = lines(done.stdout)
    assert (done.returncode, message["error"]["code"]) == (0, "bad_spec")


def test_an_error_of_the_media_is_a_response_and_no_secret_is_logged(
    stored: Storage, environment: dict[str, str]
) -> None:
    stored.objects["game.mp4"] = b"no video " * 1000
    stored.faults = [503]
    done = run(environment, "--request", "render", text=request(stored, panning(0, 60)))
    assert (done.returncode, lines(done.stdout)[-1]["error"]["code"]) == (0, "not_a_video")
    assert SIGNATURE not in done.stdout + done.stderr
    assert "503" in done.stderr


def test_sigterm_while_rendering_leaves_nothing(stored: Storage, environment: dict[str, str]) -> None:
    slow = EditSpec.of_clip(in_frame=0, out_frame=120, size=OutputSize(width=1920, height=1080))
    stored.hold("PUT")  # it cannot end before the signal comes, however late that is
    with started(environment, request(stored, slow)) as process:
        wait_for(process, "rendering", 1)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == ENDED_BY_SIGTERM
    assert "reel.mp4" not in stored.objects
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_sigint_while_reading_ends_a_wait_for_the_network(stored: Storage, environment: dict[str, str]) -> None:
    stored.hold("GET")
    with started(environment, request(stored, panning(0, 60))) as process:
        assert stored.arrived.wait(PATIENCE_SECONDS)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGINT
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_sigterm_while_uploading_publishes_nothing(stored: Storage, environment: dict[str, str]) -> None:
    stored.hold("PUT")
    with started(environment, request(stored, panning(0, 10))) as process:
        assert stored.arrived.wait(PATIENCE_SECONDS)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == ENDED_BY_SIGTERM
    assert "reel.mp4" not in stored.objects
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_people_render_a_local_file(match: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "spec.json").write_text(panning(10, 40).model_dump_json())
    out = tmp_path / "out.mp4"
    done = run(environment, str(match), "--spec", str(tmp_path / "spec.json"), "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frame_count"] == 30
    assert "rendering 100 %, 30 / 30 frames" in done.stderr
    assert numbers_in(out, list(plan_of(match, panning(10, 40)).clips[0].crops)) == list(range(10, 40))


def test_people_see_the_reason_of_a_failure(match: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "spec.json").write_text(EditSpec.of_clip(in_frame=0, out_frame=500).model_dump_json())
    (tmp_path / "out.mp4").write_bytes(b"the older one")
    done = run(environment, str(match), "--spec", str(tmp_path / "spec.json"), "-o", str(tmp_path / "out.mp4"))
    assert done.returncode == 1
    assert "bad_spec: clips.0.out_frame: 500 is beyond the 120 frames" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"spec.json", "out.mp4", "tmp"}
    assert (tmp_path / "out.mp4").read_bytes() == b"the older one"


@pytest.mark.parametrize(("name", "reason"), [("none.mp4", "No such file"), ("text.mp4", "not_a_video")])
def test_people_see_what_is_wrong_with_a_file(
    tmp_path: Path, environment: dict[str, str], name: str, reason: str
) -> None:
    (tmp_path / "text.mp4").write_text("text")
    done = run(environment, "probe", str(tmp_path / name))
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_people_probe_a_local_file(match: Path, environment: dict[str, str]) -> None:
    assert json.loads(run(environment, "probe", str(match)).stdout)["frame_count"] == 120


def test_people_join_clips_of_several_videos(
    match: Path, ntsc: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    spec = EditSpec(
        clips=(
            ClipEdit(in_frame=0, out_frame=20, audio=False),
            ClipEdit(source=1, in_frame=30, out_frame=40, audio=False),
        )
    )
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    words = ["--kind", "concat", "--spec", str(tmp_path / "spec.json"), "-o", str(tmp_path / "out.mp4")]
    done = run(environment, str(match), str(ntsc), *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frame_count"] == 30
    alone = run(environment, str(match), *words)
    assert alone.returncode == 1
    assert "bad_spec: the clips need 2 videos, 1 are given" in alone.stderr


def test_people_may_ask_for_an_engine(match: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "spec.json").write_text(EditSpec.of_clip(in_frame=10, out_frame=20).model_dump_json())
    words = [str(match), "--spec", str(tmp_path / "spec.json"), "-o", str(tmp_path / "out.mp4")]
    done = run(environment, *words, "--engine", "ffmpeg")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["engine"], result["frame_count"]) == (ffmpeg.ENGINE, 10)


def test_every_engine_may_be_asked_for() -> None:
    assert set(ENGINES) == {name for names in get_args(Wanted) for name in get_args(names)}


def test_people_may_not_render_onto_a_folder(match: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "spec.json").write_text(panning(0, 10).model_dump_json())
    done = run(environment, str(match), "--spec", str(tmp_path / "spec.json"), "-o", environment["TMPDIR"])
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"{environment['TMPDIR']}: Is a directory"]


@pytest.mark.parametrize(("start", "code"), [(b"\xff\xfe", 1), (b"\xef\xbb\xbf", 0)], ids=["utf-16", "mark"])
def test_a_spec_is_utf_8_with_or_without_a_mark(
    match: Path, tmp_path: Path, environment: dict[str, str], start: bytes, code: int
) -> None:
    (tmp_path / "spec.json").write_bytes(start + panning(0, 3).model_dump_json().encode())
    done = run(environment, str(match), "--spec", str(tmp_path / "spec.json"), "-o", str(tmp_path / "out.mp4"))
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("spec.json is not UTF-8 text" in done.stderr) == bool(code)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("27, 'File too large'", "File too large"),
        ("27, 'File too large', 'out.mp4'", "out.mp4: File too large"),
        ("'no number'", "no number"),
    ],
)
def test_a_failure_is_told_with_the_file_if_it_has_one(environment: dict[str, str], failure: str, told: str) -> None:
    code = (
        "import sys; from gpu.render import __main__ as command\n"
        f"def fail(*_): raise OSError({failure})\n"
        "command._run = fail; sys.exit(command.main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (1, [told])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("game.mp4",),
        ("game.mp4", "--spec", "spec.json"),
        ("--spec", "spec.json", "-o", "out.mp4"),
        ("probe",),
        ("probe", "game.mp4", "other.mp4"),
        ("game.mp4", "--request", "probe"),
    ],
)
def test_what_is_no_command_ends_with_the_usage(environment: dict[str, str], words: tuple[str, ...]) -> None:
    done = run(environment, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "python -m gpu.render probe VIDEO" in done.stderr


def test_a_nice_command_lets_others_go_first(stalled: Storage, environment: dict[str, str]) -> None:
    """The processes that it starts as well: they inherit it."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with started(environment, request(stalled, EditSpec.of_clip(0, 120)), "--nice", "7") as process:
        family = [psutil.Process(process.pid), *family_of(process)]
        assert {one.nice() for one in family} == {min(19, before + 7)}
        assert len(family) >= 3


def test_sigkill_of_the_command_ends_its_own_processes(stalled: Storage, environment: dict[str, str]) -> None:
    with started(environment, request(stalled, EditSpec.of_clip(0, 120))) as process:
        family = family_of(process)
        process.kill()
        assert len(family) >= 2
        assert left_of(family) == []
    assert "reel.mp4" not in stalled.objects


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def metered(out: io.StringIO, counts: Iterable[int], seconds_a_frame: float, total: int = 200) -> str:
    """What a meter shows of these counts; frame n is done at n * seconds_a_frame."""
    now = [0.0]
    meter = Meter(out, lambda: now[0])
    meter(RenderProgress(phase="reading", frames_done=0, frames_total=0))
    for done in counts:
        now[0] = done * seconds_a_frame
        meter(RenderProgress(phase="rendering", frames_done=done, frames_total=total))
    meter.finish()
    return out.getvalue()


def test_a_terminal_shows_a_bar_with_percent_rate_and_time_left() -> None:
    shown = metered(Screen(), [0, 10, 50, 200], 0.5)
    states = [state.rstrip() for state in shown.split("\r")]
    assert states[1] == f"[{' ' * 24}] reading"
    assert states[4] == f"[{'#' * 6}{' ' * 18}] rendering  25 %, 50 / 200 frames, 2.0 fps, 1:15 left"
    assert states[5] == f"[{'#' * 24}] rendering 100 %, 200 / 200 frames, 2.0 fps, 0:00 left"
    assert shown.endswith("\n")


def test_a_shorter_state_of_the_bar_covers_the_longer_one() -> None:
    states = metered(Screen(), [0, 100, 150, 190], 40).removesuffix("\n").split("\r")
    assert max(len(state.rstrip()) for state in states) <= len(states[-1])


def test_a_log_gets_a_line_for_every_tenth() -> None:
    lines = metered(io.StringIO(), range(201), 0.5).splitlines()
    assert [line.split(",")[0] for line in lines] == [f"rendering {tenth * 10:3} %" for tenth in range(1, 11)]
    assert lines[-1] == "rendering 100 %, 200 / 200 frames, 2.0 fps, 0:00 left"


def test_help_needs_no_media_library(environment: dict[str, str]) -> None:
    code = "import sys, gpu.render.__main__; print([name for name in ('av', 'cv2', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"

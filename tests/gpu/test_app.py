"""The Modal app, called in this process: what it declares, and the same answers as the command gives."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import modal
import pytest

import gpu.app
from gpu.contract import APP_NAME, PROBE_FUNCTION, PROGRESS_DICT, RENDER_FUNCTION, ProbeResponse, RenderResponse
from gpu.render.hosts import VARIABLE
from gpu.sample.writer import write_sample
from tests.gpu.render.rendering import panning
from tests.gpu.render.storage import Storage, serving


class FakeDict(dict[str, Any]):
    """Stands for modal.Dict: the calls that the app makes of it."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> FakeDict:
    fake = FakeDict()
    monkeypatch.setattr(gpu.app, "progress_by_key", fake)
    monkeypatch.delenv(VARIABLE, raising=False)
    return fake


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("app") / "game.mp4"
    write_sample(path, 2, width=320, height=180)
    return path.read_bytes()


def request(storage: Storage) -> dict[str, Any]:
    return {
        "progress_key": "attempt-1",
        "kind": "framing",
        "spec": panning(0, 45).model_dump(mode="json"),
        "source_url": storage.url("game.mp4"),
        "output_url": storage.url("reel.mp4"),
    }


def test_it_declares_what_the_contract_names() -> None:
    assert gpu.app.app.name == APP_NAME
    assert all(isinstance(getattr(gpu.app, name), modal.Function) for name in (PROBE_FUNCTION, RENDER_FUNCTION))
    assert PROGRESS_DICT == "reel-ballers-progress"


def test_probe_answers(video: bytes, progress: FakeDict) -> None:
    with serving() as storage:
        storage.objects["game.mp4"] = video
        response = ProbeResponse.model_validate(gpu.app.probe.local({"source_url": storage.url("game.mp4")}))
    assert response.info is not None
    assert response.info.frame_count == 60


def test_render_answers_and_leaves_its_last_progress(video: bytes, progress: FakeDict) -> None:
    with serving() as storage:
        storage.objects["game.mp4"] = video
        response = RenderResponse.model_validate(gpu.app.render.local(request(storage)))
        assert response.result is not None
        assert len(storage.objects["reel.mp4"]) == response.result.size_bytes
    assert progress == {"attempt-1": {"phase": "uploading", "frames_done": 45, "frames_total": 45}}


def test_a_render_that_starts_again_does_not_count_backwards(video: bytes, progress: FakeDict) -> None:
    progress["attempt-1"] = {"phase": "rendering", "frames_done": 30, "frames_total": 45}
    counted: list[int] = []
    progress.put = lambda key, value: counted.append(value["frames_done"])  # type: ignore[method-assign]
    with serving() as storage:
        storage.objects["game.mp4"] = video
        gpu.app.render.local(request(storage))
    assert counted[0] == 30
    assert counted[-1] == 45


@pytest.mark.parametrize("function", [gpu.app.probe, gpu.app.render])
def test_a_request_that_is_none_is_answered(function: Any) -> None:
    assert function.local({})["error"]["code"] == "bad_spec"


def test_it_imports_where_there_is_no_lock_file_and_no_media_library(tmp_path: Path) -> None:
    """As in the container, where only the package itself is."""
    (tmp_path / "gpu").symlink_to(Path(gpu.app.__file__).parent)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import gpu.app;"
        "assert not gpu.app.LOCK.exists(), gpu.app.LOCK;"
        "print([name for name in ('av', 'cv2', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

"""The Modal app, called in this process: what it declares, and the same answers as the command gives."""

import ast
import asyncio
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import modal
import pytest

import gpu.app
from app.jobs.local_renderer import LocalRenderer
from gpu import contract
from gpu.contract import (
    APP_NAME,
    PROGRESS_DICT,
    DeriveResponse,
    ProbeResponse,
    RenderRequest,
    RenderResponse,
    TrackResponse,
    UpscaleResponse,
)
from gpu.functions.track import DETECTOR_SIZE
from gpu.render.hosts import VARIABLE
from gpu.sample.writer import write_sample
from gpu.upscale.choose import DEFAULT_WEIGHTS
from tests.gpu.render.rendering import panning
from tests.gpu.render.storage import Storage, serving


class FakeDict(dict[str, Any]):
    """Stands for modal.Dict: the calls that the app makes of it."""

    def put(self, key: str, value: Any) -> None:
        self[key] = value


class ChunkCall:
    """Stands for a call that `upscale_chunk.spawn` begins: it is made when its answer is asked for."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._request = request

    def get(self, timeout: float) -> Any:
        return UPSCALE_CHUNK_LOCAL(self._request)

    def cancel(self) -> None:
        raise AssertionError("no call is left")


UPSCALE_CHUNK_LOCAL = gpu.app.upscale_chunk.local


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> FakeDict:
    fake = FakeDict()
    monkeypatch.setattr(gpu.app, "progress_by_key", fake)
    monkeypatch.setattr(gpu.app, "upscale_chunk", SimpleNamespace(spawn=ChunkCall))
    monkeypatch.delenv(VARIABLE, raising=False)
    return fake


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("app") / "game.mp4"
    write_sample(path, 2, width=320, height=180)
    return path.read_bytes()


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("app") / "long.mp4"
    write_sample(path, 5, width=320, height=180)
    return path.read_bytes()


def request(storage: Storage) -> dict[str, Any]:
    return {
        "progress_key": "attempt-1",
        "kind": "framing",
        "spec": panning(0, 45).model_dump(mode="json"),
        "source_urls": [storage.url("game.mp4")],
        "output_url": storage.url("reel.mp4"),
    }


def clip(**changes: Any) -> dict[str, Any]:
    return {"in_frame": 0, "out_frame": 40, **changes}


FUNCTIONS = [
    gpu.app.probe, gpu.app.render, gpu.app.derive, gpu.app.track, gpu.app.upscale, gpu.app.upscale_chunk,
]  # fmt: skip
REGION = {"in_frame": 5, "out_frame": 35, "keyframes": [{"frame": 5, "x": 60, "y": 60, "radius_x": 30, "radius_y": 40}]}
SPECS: dict[str, dict[str, Any]] = {
    "extract": {"clips": [clip(in_frame=7)]},
    "framing": panning(0, 45).model_dump(mode="json"),
    "overlay": {"clips": [clip()], "regions": [REGION]},
    "annotate": {"clips": [clip(caption={"rating": 4, "tags": ["goal"], "notes": "from the left"})]},
    "concat": {
        "clips": [
            clip(out_frame=75),
            clip(in_frame=30, out_frame=150, retime={"boundaries": [0, 120], "speeds_percent": [150]}),
        ],
        "transition": {"kind": "dissolve", "frames": 10},
    },
}
"""One small edit of each kind; the last one takes more than four seconds and so several parts."""


def test_it_declares_what_the_contract_names() -> None:
    assert gpu.app.app.name == APP_NAME
    names = [value for name, value in vars(contract).items() if name.endswith("_FUNCTION")]
    assert len(names) == 5
    assert all(isinstance(getattr(gpu.app, name), modal.Function) for name in names)
    assert PROGRESS_DICT == "reel-ballers-progress"


@pytest.mark.parametrize("kind", SPECS)
async def test_the_same_request_gives_the_same_bytes_here_as_by_the_local_renderer(
    kind: str, progress: FakeDict, long_video: bytes
) -> None:
    with serving() as storage:
        storage.objects["game.mp4"] = long_video
        wanted = {**request(storage), "kind": kind, "spec": SPECS[kind]}
        # The functions of Modal run in the main thread of a container; here it is a thread of the test's process.
        there = RenderResponse.model_validate(await asyncio.to_thread(gpu.app.render.local, wanted))
        remote = storage.objects.pop("reel.mp4")
        renderer = LocalRenderer(media_hosts=f"127.0.0.1:{storage.port}")
        here = await renderer.wait(await renderer.start(RenderRequest.model_validate(wanted)), "", lambda _: None)
        assert there.result is not None, there.error
        assert here == there
        assert storage.objects["reel.mp4"] == remote
        assert sha256(remote).hexdigest() == there.result.sha256


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


def test_derive_and_upscale_answer_as_the_contract_says(video: bytes, progress: FakeDict) -> None:
    with serving() as storage:
        storage.objects["game.mp4"] = video
        given = {"progress_key": "attempt-1", "source_url": storage.url("game.mp4")}
        work = {"kind": "peaks", "output_url": storage.url("peaks.dat")}
        peaks = DeriveResponse.model_validate(gpu.app.derive.local({**given, "work": work}))
        size = {"width": 640, "height": 360}
        target = {"size": size, "frames": {"in_frame": 0, "out_frame": 5}, "output_url": storage.url("large.mp4")}
        large = UpscaleResponse.model_validate(gpu.app.upscale.local({**given, **target, "progress_key": "other"}))
    assert (peaks.error, large.error) == (None, None)
    assert {"peaks.dat", "large.mp4"} <= storage.objects.keys()
    assert progress["attempt-1"]["phase"] == "uploading"
    assert {key: one["frames_done"] for key, one in progress.items()} == {"attempt-1": 60, "other": 5}


def test_work_that_times_out_does_not_look_like_work_that_goes_on(
    progress: FakeDict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`FunctionCall.get` raises TimeoutError where there is no answer yet."""

    def slow(url: str) -> None:
        raise TimeoutError("too slow")

    monkeypatch.setattr("gpu.functions.probe.probe_url", slow)
    with pytest.raises(RuntimeError, match="too slow"):
        gpu.app.probe.local({"source_url": "http://x/s"})


def test_without_networks_track_says_that_it_cannot(progress: FakeDict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.functions.track.find_spec", lambda name: None)
    given = {"progress_key": "attempt-1", "source_url": "http://x/s", "frames": {"in_frame": 0, "out_frame": 5}}
    answer = gpu.app.track.local({**given, "output_url": "http://x/t"})
    assert TrackResponse.model_validate(answer).error is not None
    assert answer["error"]["code"] == "unsupported"


def a_lock(folder: Path, sha256: str | None) -> Path:
    """Of the weights that the image has, each with this hash."""
    same = {"licence": "MIT", "sha256": sha256, "bytes": 5 if sha256 else None}
    weights = [{"name": name, "file": f"{name}.pth", "url": f"https://x/{name}", **same} for name in gpu.app.WEIGHTS]
    path = folder / "weights.lock"
    path.write_text(json.dumps({"weights": weights}))
    return path


def test_networks_are_deployed_with_verified_weights_and_locked_packages_only(tmp_path: Path) -> None:
    packages = tmp_path / "networks.lock"
    assert "no verified hash" in gpu.app.why_no_networks(a_lock(tmp_path, None), packages)
    assert "networks.lock is missing" in gpu.app.why_no_networks(a_lock(tmp_path, "0" * 64), packages)
    packages.touch()
    assert gpu.app.why_no_networks(a_lock(tmp_path, "0" * 64), packages) == ""


def test_what_is_left_out_is_said_in_one_line(tmp_path: Path) -> None:
    code = "import gpu.app; print(gpu.app.with_networks, gpu.app.gpus)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    reason = gpu.app.why_no_networks()
    assert done.stdout.strip() == ("False None" if reason else f"True {gpu.app.GPUS}")
    assert done.stderr.splitlines() == (
        [f"the functions with networks are deployed without them: {reason}"] if reason else []
    )


def test_the_weights_of_the_image_are_those_that_the_functions_load() -> None:
    assert (f"rf-detr-{DETECTOR_SIZE}", DEFAULT_WEIGHTS) == gpu.app.WEIGHTS


@pytest.mark.parametrize("function", FUNCTIONS)
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


def test_the_documented_table_is_what_the_functions_declare() -> None:
    source = Path(gpu.app.__file__)
    rows = [line.split("|")[1:-1] for line in (source.parents[1] / "docs" / "functions.md").read_text().splitlines()]
    table = {row[0].strip().strip("`"): [cell.strip() for cell in row[1:8]] for row in rows if len(row) == 10}
    declared = {
        node.name: {one.arg: one.value for one in mark.keywords}
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.FunctionDef)
        for mark in node.decorator_list
        if isinstance(mark, ast.Call)
    }
    assert declared.keys() == table.keys() - {"function", "---"}
    assert len(declared) == 6
    for name, given in declared.items():
        retries = next(one.value for one in getattr(given["retries"], "keywords", []) if one.arg == "max_retries")
        numbers = [given["cpu"], given["memory"], given["timeout"], retries, given["max_containers"]]
        cores, memory, *rest = ("-".join(map(_plain, _values(one))) for one in [*numbers, given["scaledown_window"]])
        assert table[name] == [cores, memory, ", ".join(gpu.app.GPUS) if "gpu" in given else "-", *rest], name


def _values(node: ast.expr | None) -> list[float]:
    """One number or a pair, computed."""
    assert node is not None
    value = eval(compile(ast.Expression(node), "app", "eval"), {})
    return list(value) if isinstance(value, tuple) else [value]


def _plain(number: float) -> str:
    return f"{number:g}"

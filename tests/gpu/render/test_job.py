"""Requests and responses, against storage on loopback."""

import io
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import av
import numpy as np
import pytest

from gpu import contract
from gpu.contract import (
    DeriveResponse,
    ProbeRequest,
    RenderKind,
    RenderProgress,
    RenderRequest,
    RenderResponse,
    TrackResponse,
    UpscaleResponse,
)
from gpu.derive.facts import PeaksFacts, ProxyFacts, Storyboard
from gpu.plan.geometry import Rect
from gpu.plan.spec import EditSpec, Value
from gpu.render import gates, job, transport
from gpu.render.__main__ import FUNCTIONS as FUNCTIONS_OF_THE_COMMAND
from gpu.render.errors import MediaFailure
from gpu.render.hosts import VARIABLE
from gpu.render.job import DERIVE, PROBE, RENDER, TRACK, UPSCALE, parse
from gpu.sample.writer import write_sample
from gpu.track.association import OverlapTracker
from gpu.track.detections import Box
from gpu.track.tracks import TrackResult
from tests.gpu.render.rendering import numbers_in, panning
from tests.gpu.render.storage import SIGNATURE, Storage
from tests.gpu.render.videos import HEIGHT, WIDTH
from tests.gpu.track.videos import shirt_detector, write_shirts


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(transport, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def stored(storage: Storage, match: Path) -> Storage:
    storage.objects["game.mp4"] = match.read_bytes()
    return storage


def request(storage: Storage, spec: EditSpec, kind: RenderKind = "framing") -> RenderRequest:
    return RenderRequest(
        progress_key="export-1",
        kind=kind,
        spec=spec,
        source_urls=(storage.url("game.mp4"),),
        output_url=storage.url("reel.mp4"),
    )


def run(wanted: RenderRequest) -> RenderResponse:
    return RENDER.answer(wanted)


def test_a_probe_answers_with_facts(stored: Storage) -> None:
    response = PROBE.answer(ProbeRequest(source_url=stored.url("game.mp4")))
    assert response.error is None
    assert response.info is not None
    assert response.info.frame_count == 120


def test_a_render_is_published_as_measured(stored: Storage, tmp_path: Path) -> None:
    response = run(request(stored, panning(10, 40)))
    assert response.error is None
    assert response.result is not None
    assert response.result.size_bytes == len(stored.objects["reel.mp4"])
    assert list(tmp_path.iterdir()) == []


def test_the_same_request_publishes_the_same_object(stored: Storage) -> None:
    results = [run(request(stored, panning(10, 90))).result for _ in range(2)]
    assert results[0] == results[1]


def test_progress_goes_forward_through_the_phases(stored: Storage) -> None:
    seen: list[RenderProgress] = []
    RENDER.answer(request(stored, panning(0, 30)), seen.append)
    assert list(dict.fromkeys(one.phase for one in seen)) == ["reading", "rendering", "uploading"]
    assert [one.frames_done for one in seen] == [0, *range(1, 31), 30]
    assert [one.frames_total for one in seen] == [0, *[30] * 31]


def test_an_edit_that_does_not_fit_is_refused_with_all_mistakes(stored: Storage) -> None:
    response = run(request(stored, EditSpec.of_clip(in_frame=0, out_frame=121)))
    assert response.error is not None
    assert (response.error.code, "reel.mp4" in stored.objects) == ("bad_spec", False)
    assert "120 frames" in response.error.message


def test_an_extraction_takes_no_crop(stored: Storage) -> None:
    response = run(request(stored, panning(0, 30), "extract"))
    assert response.error is not None
    assert response.error.code == "bad_spec"


def test_a_file_that_fails_its_checks_is_not_published(
    stored: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "_has_index_first", lambda path: False)
    response = run(request(stored, panning(0, 30)))
    assert response.error is not None
    assert response.error.code == "internal"
    assert "reel.mp4" not in stored.objects
    assert list(tmp_path.iterdir()) == []


def test_a_refused_result_leaves_nothing(stored: Storage, tmp_path: Path) -> None:
    original = stored.faults
    assert original == []
    response = RENDER.answer(
        request(stored, panning(0, 30)),
        lambda progress: stored.faults.append(403) if progress.phase == "uploading" else None,
    )
    assert response.error is not None
    assert response.error.code == "output_refused"
    assert SIGNATURE not in response.error.message
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_midway_is_reported(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu.render import source

    monkeypatch.setattr(source, "BLOCK_BYTES", 20_000)

    def break_storage(progress: RenderProgress) -> None:
        if progress.phase == "rendering":
            stored.faults.extend([404] * 10)

    response = RENDER.answer(request(stored, EditSpec.of_clip(in_frame=0, out_frame=120)), break_storage)
    assert response.error is not None
    assert response.error.code == "source_unreachable"


@pytest.mark.parametrize(("field", "code"), [("source_urls", "source_unreachable"), ("output_url", "output_refused")])
def test_a_host_that_is_not_listed_is_not_called(
    stored: Storage, monkeypatch: pytest.MonkeyPatch, field: str, code: str
) -> None:
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    other = f"http://127.0.0.1:9/x?{SIGNATURE}"
    update = {field: (other,) if field == "source_urls" else other}
    wanted = request(stored, panning(0, 30)).model_copy(update=update)
    response = run(wanted)
    assert response.error is not None
    assert response.error.code == code
    assert "MEDIA_HOSTS" in response.error.message
    assert stored.requests == []


def test_a_listed_host_is_called(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    assert run(request(stored, panning(0, 5))).error is None


def derive(storage: Storage, work: Mapping[str, object]) -> DeriveResponse:
    given = {"progress_key": "key", "source_url": storage.url("game.mp4"), "work": work}
    return DERIVE.answer(given)


def test_a_proxy_is_published_as_measured(stored: Storage, tmp_path: Path) -> None:
    work = {"kind": "proxy", "frames": {"in_frame": 10, "out_frame": 40}, "output_url": stored.url("proxy.mp4")}
    response = derive(stored, work)
    assert isinstance(response.result, ProxyFacts), response.error
    assert (response.result.first_frame, response.result.frame_count) == (10, 30)
    assert sha256(stored.objects["proxy.mp4"]).hexdigest() == response.result.sha256
    assert stored.headers["proxy.mp4"]["content-type"] == "video/mp4"
    assert list(tmp_path.iterdir()) == []


def test_peaks_are_published_as_measured(stored: Storage) -> None:
    response = derive(stored, {"kind": "peaks", "output_url": stored.url("peaks.dat")})
    assert isinstance(response.result, PeaksFacts), response.error
    assert sha256(stored.objects["peaks.dat"]).hexdigest() == response.result.sha256
    assert stored.headers["peaks.dat"]["content-type"] == "application/octet-stream"


def test_a_storyboard_publishes_its_sheets_before_the_index(stored: Storage) -> None:
    urls = [stored.url("sheet-0.jpg"), stored.url("sheet-1.jpg")]
    response = derive(stored, {"kind": "storyboard", "sheet_urls": urls, "index_url": stored.url("index.json")})
    assert isinstance(response.result, Storyboard), response.error
    assert [name for name in stored.objects if name != "game.mp4"] == ["sheet-0.jpg", "index.json"]
    assert stored.objects["sheet-0.jpg"].startswith(b"\xff\xd8")
    assert Storyboard.model_validate_json(stored.objects["index.json"]) == response.result
    types = [stored.headers[name]["content-type"] for name in ("sheet-0.jpg", "index.json")]
    assert types == ["image/jpeg", "application/json"]


def test_a_storyboard_without_enough_addresses_is_refused_before_the_work(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    write_sample(folder / "long.mp4", 8, width=32, height=32)
    storage.objects["game.mp4"] = (folder / "long.mp4").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "STORYBOARD_CELLS", 1)
        response = derive(
            storage, {"kind": "storyboard", "sheet_urls": [storage.url("0")], "index_url": storage.url("i")}
        )
    assert response.error is not None
    assert response.error.message == "the storyboard takes 2 sheets, 1 addresses are given"
    assert list(storage.objects) == ["game.mp4"]


def test_derived_progress_counts_the_frames_of_the_range(stored: Storage) -> None:
    seen: list[RenderProgress] = []
    work = {"kind": "proxy", "frames": {"in_frame": 10, "out_frame": 40}, "output_url": stored.url("proxy.mp4")}
    DERIVE.answer({"progress_key": "key", "source_url": stored.url("game.mp4"), "work": work}, seen.append)
    assert list(dict.fromkeys(one.phase for one in seen)) == ["reading", "rendering", "uploading"]
    assert [one.frames_done for one in seen] == sorted(one.frames_done for one in seen)
    assert (seen[-1].frames_done, seen[-1].frames_total) == (30, 30)


def walking(frame: int) -> dict[str, Box]:
    return {"red": Box(20 + 2 * frame, 30, 16, 24)}


def track(storage: Storage, out_frame: int = 20) -> TrackResponse:
    frames = {"in_frame": 0, "out_frame": out_frame}
    given = {"progress_key": "key", "source_url": storage.url("game.mp4"), "frames": frames, "stride": 2}
    return TRACK.answer({**given, "output_url": storage.url("tracks.json")})


def test_tracks_are_published_as_an_object(storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "load_tracking", lambda: (shirt_detector(), OverlapTracker))
    storage.objects["game.mp4"] = write_shirts(folder / "shirts.mp4", 20, walking).read_bytes()
    response = track(storage)
    assert response.result is not None, response.error
    written = TrackResult.model_validate_json(storage.objects["tracks.json"])
    assert len(written.tracks) == response.result.track_count > 0
    assert sum(len(one.boxes) for one in written.tracks) == response.result.box_count
    assert sha256(storage.objects["tracks.json"]).hexdigest() == response.result.sha256
    assert written.stride == 2


@pytest.mark.parametrize("missing", ["torch", "rfdetr", "trackers"])
def test_an_installation_without_networks_says_that_it_does_not_track(
    stored: Storage, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(job, "find_spec", lambda name: None if name == missing else object())
    response = track(stored)
    assert response.error is not None
    assert response.error.code == "unsupported"
    assert missing in response.error.message


def upscale(storage: Storage, width: int, height: int) -> UpscaleResponse:
    given = {"progress_key": "key", "source_url": storage.url("game.mp4"), "output_url": storage.url("large.mp4")}
    return UPSCALE.answer(
        {**given, "frames": {"in_frame": 5, "out_frame": 15}, "size": {"width": width, "height": height}}
    )


def test_upscaling_without_a_gpu_says_so_and_keeps_frames_and_sound(stored: Storage, tmp_path: Path) -> None:
    results = [upscale(stored, 2 * WIDTH, 2 * HEIGHT).result for _ in range(2)]
    assert results[0] == results[1]
    assert results[0] is not None
    assert (results[0].width, results[0].height, results[0].frame_count) == (2 * WIDTH, 2 * HEIGHT, 10)
    assert results[0].audio_duration_ms is not None
    assert abs(results[0].audio_duration_ms - results[0].duration_ms) <= 34
    assert (results[0].upscaler.ai, results[0].upscaler.name) == (False, "lanczos-1")
    assert "Lanczos" in results[0].upscaler.reason
    (tmp_path / "large.mp4").write_bytes(stored.objects["large.mp4"])
    whole = Rect(0, 0, WIDTH, HEIGHT)
    assert numbers_in(tmp_path / "large.mp4", [whole] * 10) == list(range(5, 15))


def plane_means(video: bytes, frames: range) -> list[float]:
    """Of Y, U and V over these frames."""
    with av.open(io.BytesIO(video), "r") as container:
        pictures = [frame for number, frame in enumerate(container.decode(video=0)) if number in frames]
    flat = np.stack([frame.to_ndarray(format="yuv420p").ravel() for frame in pictures])
    luma = flat.shape[1] * 2 // 3
    return [float(plane.mean()) for plane in np.split(flat, [luma, luma * 5 // 4], axis=1)]


def test_upscaling_keeps_colours_and_light(storage: Storage, folder: Path) -> None:
    write_sample(folder / "plain.mp4", 1, width=64, height=64)
    storage.objects["game.mp4"] = (folder / "plain.mp4").read_bytes()
    assert upscale(storage, 128, 128).error is None
    before = plane_means(storage.objects["game.mp4"], range(5, 15))
    after = plane_means(storage.objects["large.mp4"], range(10))
    assert after == pytest.approx(before, abs=1.5)
    assert abs(before[1] - 128) > 3
    assert abs(before[2] - 128) > 3


def test_upscaling_to_less_is_refused(stored: Storage) -> None:
    response = upscale(stored, WIDTH, HEIGHT - 2)
    assert response.error is not None
    assert (response.error.code, "large.mp4" in stored.objects) == ("bad_spec", False)
    assert "smaller" in response.error.message


def test_every_address_of_a_request_is_checked(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1:9")
    codes = [
        derive(stored, {"kind": "peaks", "output_url": stored.url("peaks.dat")}).error,
        track(stored).error,
        upscale(stored, 2 * WIDTH, 2 * HEIGHT).error,
    ]
    assert [error and error.code for error in codes] == ["source_unreachable"] * 3
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    other = f"http://127.0.0.1:9/x?{SIGNATURE}"
    work = {"kind": "storyboard", "sheet_urls": [stored.url("0"), other], "index_url": stored.url("index")}
    refused = derive(stored, work)
    assert refused.error is not None
    assert refused.error.code == "output_refused"
    assert stored.requests == []


def test_every_function_of_the_contract_is_there() -> None:
    names = {value for name, value in vars(contract).items() if name.endswith("_FUNCTION")}
    assert set(job.FUNCTIONS) == names == set(FUNCTIONS_OF_THE_COMMAND)


def test_an_error_of_ours_is_no_response(stored: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> gates.Measured:
        raise ZeroDivisionError

    monkeypatch.setattr(gates, "measure", broken)
    with pytest.raises(ZeroDivisionError):
        run(request(stored, panning(0, 5)))
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_is_none_is_refused_without_its_values() -> None:
    with pytest.raises(MediaFailure) as refused:
        parse(RenderRequest, {"source_urls": 7, "token": f"http://host/?{SIGNATURE}"})
    assert refused.value.code == "bad_spec"
    assert "source_urls" in refused.value.message
    assert SIGNATURE not in refused.value.message


def refusal(kind: type[Value], given: object) -> str:
    with pytest.raises(MediaFailure) as refused:
        parse(kind, given)
    assert refused.value.code == "bad_spec"
    return refused.value.message


def test_a_long_list_of_mistakes_is_cut_and_counted() -> None:
    """An answer is one line for the app, which reads no endless ones."""
    clip = {"in_frame": 0, "out_frame": 9, "crop_keyframes": [{}] * 3000}
    message = refusal(EditSpec, {"clips": [clip]})
    assert len(message) < 3500
    assert message.startswith("clips.0.crop_keyframes.0.frame: Field required; ")
    assert message.endswith("; and 14990 more")


def test_a_mistake_that_quotes_a_long_list_is_cut() -> None:
    keys = [{"frame": frame, "x": 0, "y": 0, "width": 1, "height": 1} for frame in range(3000, 0, -1)]
    assert len(refusal(EditSpec, {"clips": [{"in_frame": 0, "out_frame": 9, "crop_keyframes": keys}]})) < 400


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([{"in_frame": 0}], "clips.0.out_frame: Field required"),
        ([{"in_frame": 9, "out_frame": 9}], "clips.0: out_frame 9 is not after in_frame 9"),
        ([], "clips: Tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_a_mistake_is_told_once_and_as_it_is(clips: list[object], message: str) -> None:
    assert refusal(EditSpec, {"clips": clips}) == message


def test_bytes_that_are_not_utf_8_are_no_request() -> None:
    assert "Invalid JSON" in refusal(ProbeRequest, b'{"source_url": "\xff"}')


@pytest.mark.parametrize("size", [(640, 640), (640, 366), (320, 184)])
def test_upscaling_to_another_shape_is_refused(storage: Storage, folder: Path, size: tuple[int, int]) -> None:
    storage.objects["game.mp4"] = wide(folder)
    error = upscale(storage, *size).error
    assert error is not None
    assert (error.code, "large.mp4" in storage.objects) == ("bad_spec", False)
    assert "another shape" in error.message


@pytest.mark.parametrize("size", [(322, 180), (322, 182), (324, 182)])
def test_upscaling_allows_for_even_sizes(storage: Storage, folder: Path, size: tuple[int, int]) -> None:
    storage.objects["game.mp4"] = wide(folder)
    result = upscale(storage, *size).result
    assert result is not None
    assert (result.width, result.height) == size


def wide(folder: Path) -> bytes:
    """320 x 180 pixels."""
    write_sample(folder / "wide.mp4", 1, width=320, height=180)
    return (folder / "wide.mp4").read_bytes()

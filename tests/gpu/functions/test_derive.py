"""What the editor needs beside a source, over HTTP."""

from hashlib import sha256
from pathlib import Path

import pytest

from gpu import contract
from gpu.contract import RenderProgress
from gpu.derive.facts import PeaksFacts, ProxyFacts, Storyboard
from gpu.functions.derive import DERIVE
from gpu.sample.writer import write_sample
from tests.gpu.functions.asking import derive
from tests.gpu.render.storage import Storage


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
        patch.setattr(contract, "SHEET_COLUMNS", 1)
        patch.setattr(contract, "SHEET_ROWS", 1)
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

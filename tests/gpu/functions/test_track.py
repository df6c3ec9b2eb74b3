"""Following players, over HTTP; the detector finds coloured shirts."""

from hashlib import sha256
from pathlib import Path

import pytest

import gpu.functions.track
from gpu.track.association import OverlapTracker
from gpu.track.detections import Box
from gpu.track.tracks import TrackResult
from tests.gpu.functions.asking import track
from tests.gpu.render.storage import Storage
from tests.gpu.track.videos import shirt_detector, write_shirts


def walking(frame: int) -> dict[str, Box]:
    return {"red": Box(20 + 2 * frame, 30, 16, 24)}


def test_tracks_are_published_as_an_object(storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.functions.track, "load_tracking", lambda: (shirt_detector(), OverlapTracker))
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
    monkeypatch.setattr(gpu.functions.track, "find_spec", lambda name: None if name == missing else object())
    response = track(stored)
    assert response.error is not None
    assert response.error.code == "unsupported"
    assert missing in response.error.message

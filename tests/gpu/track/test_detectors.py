"""Detectors: the colour-blob one of the tests, and RF-DETR where torch is installed."""

import hashlib
import json
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gpu.render.errors import MediaFailure
from gpu.track import rfdetr as adapter
from gpu.track.association import OverlapTracker
from gpu.track.bytetrack import ByteTracker
from gpu.track.detections import Box, RgbBatch, overlaps
from gpu.track.follow import Search, follow
from gpu.track.rfdetr import RfDetrDetector, kept, load_rfdetr
from gpu.weights import libraries
from gpu.weights.lock import WeightsError
from tests.gpu.track.videos import SHIRTS, SIZE, draw, shirt_detector, write_shirts

SHIRT = {"red": Box(40, 30, 20, 36), "blue": Box(200, 100, 24, 40)}


def test_shirts_are_found_where_they_are() -> None:
    (found,) = shirt_detector().detect(draw(SIZE, SHIRT)[None])
    assert {one.label: one.box for one in found} == SHIRT
    assert [one.score for one in found] == [1.0, 1.0]


def test_each_picture_of_a_batch_has_its_own_detections() -> None:
    pictures = np.stack([draw(SIZE, SHIRT), draw(SIZE, {}), draw(SIZE, {"blue": SHIRT["blue"]})])
    assert [[one.label for one in found] for found in shirt_detector().detect(pictures)] == [
        ["red", "blue"],
        [],
        ["blue"],
    ]


def test_a_shirt_in_the_shade_is_found() -> None:
    picture = draw(SIZE, {"red": SHIRT["red"]})
    picture[30:66, 40:60] = [int(level * 0.7) for level in SHIRTS["red"]]
    (found,) = shirt_detector(tolerance=45).detect(picture[None])
    assert [one.box for one in found] == [SHIRT["red"]]


def test_half_a_box_in_the_colour_scores_half() -> None:
    picture = draw(SIZE, {"red": SHIRT["red"]})
    picture[30:48, 40:50] = picture[48:66, 50:60] = (70, 120, 60)
    (found,) = shirt_detector().detect(picture[None])
    assert [one.score for one in found] == [0.5]


def test_specks_are_no_players() -> None:
    picture = draw(SIZE, {"red": Box(40, 30, 6, 6)})
    assert shirt_detector(smallest=37).detect(picture[None]) == [[]]
    assert len(shirt_detector(smallest=36).detect(picture[None])[0]) == 1


def test_overlap_is_the_shared_part_of_both() -> None:
    boxes = [Box(0, 0, 10, 10), Box(5, 0, 10, 10), Box(20, 20, 5, 5), Box(2, 2, 0, 0)]
    expected = [[1, 1 / 3, 0, 0], [1 / 3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert overlaps(boxes, boxes) == pytest.approx(np.array(expected))
    assert overlaps([], boxes).shape == (0, 4)


def test_rf_detr_keeps_people_and_balls_inside_the_picture() -> None:
    found = SimpleNamespace(
        xyxy=np.array(
            [[10, 20, 30, 60], [-5, -5, 8, 9], [90, 40, 130, 80], [110, 0, 120, 9], [1, 1, 9, 9]], np.float32
        ),
        confidence=np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32),
        data={"class_name": ["person", "sports ball", "person", "person", "dog"]},
    )
    detections = kept(found, 100, 70)
    assert [(one.label, one.box) for one in detections] == [
        ("person", Box(10, 20, 20, 40)),
        ("ball", Box(0, 0, 8, 9)),
        ("person", Box(90, 40, 10, 30)),
    ]
    assert [one.score for one in detections] == pytest.approx([0.9, 0.8, 0.7])


@pytest.mark.parametrize("missing", ["torch", "rfdetr"])
def test_without_its_libraries_rf_detr_says_what_is_missing(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, missing)
    with pytest.raises(MediaFailure, match=f"finding players needs {missing}, which is not installed here") as caught:
        RfDetrDetector("nano", None, "random")
    assert caught.value.code == "internal"


def test_without_its_package_bytetrack_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    _hide(monkeypatch, "trackers")
    with pytest.raises(MediaFailure, match="needs trackers, which is not installed here"):
        ByteTracker(30.0)


def test_a_library_that_is_there_but_broken_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> object:
        raise ModuleNotFoundError("No module named 'half'", name="half")

    monkeypatch.setattr(libraries, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="half"):
        libraries.library("torch", "finding players")


def test_unverified_weights_are_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="rf-detr-nano has no verified hash"):
        load_rfdetr("nano", tmp_path, lock=_lock(tmp_path, None))


def test_weights_that_are_not_the_locked_ones_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "nano.pth").write_bytes(b"other")
    with pytest.raises(WeightsError, match="not the file that the lock has for rf-detr-nano"):
        load_rfdetr("nano", tmp_path, lock=_lock(tmp_path, b"right"))


def test_a_detector_is_named_after_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nano.pth").write_bytes(b"right")
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(adapter, "RfDetrDetector", lambda *words, batch_size: asked.append((*words, batch_size)))
    load_rfdetr("nano", tmp_path, batch_size=5, lock=_lock(tmp_path, b"right"))
    assert asked == [("nano", tmp_path / "nano.pth", hashlib.sha256(b"right").hexdigest()[:12], 5)]


@pytest.fixture(scope="module")
def detector() -> RfDetrDetector:
    for name in ("torch", "rfdetr"):
        pytest.importorskip(name, reason=f"{name} is only on images for networks")
    return RfDetrDetector("nano", None, "random", batch_size=3)


class TestWithTorch:
    """Random weights find nothing of use: these hold the machinery together, not what it finds."""

    @pytest.fixture
    def finds_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapter, "LEAST_SCORE", 0.0)
        monkeypatch.setattr(adapter, "LABELS", _Everything())

    @pytest.fixture
    def pictures(self) -> RgbBatch:
        return np.random.default_rng(20260321).integers(0, 256, (3, 90, 160, 3), dtype=np.uint8)

    @pytest.mark.usefixtures("finds_everything")
    def test_boxes_lie_in_the_picture_and_scores_are_probabilities(
        self, detector: RfDetrDetector, pictures: RgbBatch
    ) -> None:
        found = detector.detect(pictures)
        assert len(found) == 3
        assert all(found)
        for box, score, _ in (one for each in found for one in each):
            assert 0 <= box.x < box.x + box.width <= 160 + 1e-3
            assert 0 <= box.y < box.y + box.height <= 90 + 1e-3
            assert 0 <= score <= 1

    @pytest.mark.usefixtures("finds_everything")
    def test_a_batch_finds_what_single_pictures_find(self, detector: RfDetrDetector, pictures: RgbBatch) -> None:
        together = detector.detect(pictures)
        for picture, found in zip(pictures, together, strict=True):
            (alone,) = detector.detect(picture[None])
            scores = [sorted(one.score for one in each)[-20:] for each in (alone, found)]
            assert scores[0] == pytest.approx(scores[1], abs=1e-4)

    @pytest.mark.usefixtures("finds_everything")
    @pytest.mark.parametrize("tracker", [OverlapTracker, ByteTracker])
    def test_a_recording_is_followed_with_every_tracker(
        self, detector: RfDetrDetector, tmp_path: Path, tracker: type[OverlapTracker] | type[ByteTracker]
    ) -> None:
        pytest.importorskip("trackers", reason="ByteTrack's package is only on images for networks")
        video = write_shirts(tmp_path / "match.mp4", 4, lambda _: SHIRT)
        with video.open("rb") as file:
            result = follow(file, Search(0, 4), detector, tracker)
        assert result.detector.startswith("rf-detr-nano-")
        assert result.detector.endswith("-random")

    def test_weights_come_from_the_file_without_the_network(
        self, detector: RfDetrDetector, pictures: RgbBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("the network was asked")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(adapter, "LEAST_SCORE", 0.0)
        monkeypatch.setattr(adapter, "LABELS", _Everything())
        torch, rfdetr = pytest.importorskip("torch"), pytest.importorskip("rfdetr")
        torch.manual_seed(7)
        trained = rfdetr.RFDETRNano(pretrain_weights=None, device="cpu")
        torch.save({"model": trained.model.model.state_dict()}, tmp_path / "rf-detr-nano.pth")
        loaded = RfDetrDetector("nano", tmp_path / "rf-detr-nano.pth", "saved")
        trained.inference(compile=False)
        expected = trained.predict(list(pictures), threshold=0.0, include_source_image=False)
        for one, other in zip(loaded.detect(pictures), expected, strict=True):
            best = [detection.score for detection in one][:20]
            assert best == pytest.approx(other.confidence[:20].tolist(), abs=1e-3)


class _Everything(dict[str, str]):
    """Keeps every class, as its own name."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return name


def _lock(folder: Path, content: bytes | None) -> Path:
    """A lock for weights of this content, or with an entry that nobody has verified."""
    path = folder / "weights.lock"
    entry = {
        "name": "rf-detr-nano",
        "file": "nano.pth",
        "url": "https://weights.example/nano.pth",
        "licence": "Apache-2.0",
        "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
        "bytes": None if content is None else len(content),
    }
    path.write_text(json.dumps({"weights": [entry]}))
    return path


def _hide(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """As if `missing` alone were not installed."""

    def import_module(name: str) -> object:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))

    monkeypatch.setattr(libraries, "import_module", import_module)

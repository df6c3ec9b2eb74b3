"""RF-DETR (Apache-2.0) finds people and balls. Needs torch and rfdetr, and weights whose hash was checked.

The sizes from nano to large are Apache-2.0; the larger ones are not and are not offered. Nothing is downloaded here:
the weights are a file that `gpu.weights` has verified. On a GPU it computes in fp16.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from gpu.track.detections import Box, Detection, RgbBatch
from gpu.weights.libraries import library
from gpu.weights.lock import LOCK, chosen, measured, read_lock
from gpu.weights.store import verified

RfDetrSize = Literal["nano", "small", "medium", "large"]
LABELS = {"person": "person", "sports ball": "ball"}
"""COCO's classes that are kept, and what they are called here."""
LEAST_SCORE = 0.1
"""Doubtful detections are of use to the tracker, which never begins a track with one."""
BATCH_SIZE = 8
_PURPOSE = "finding players"
_CLASSES: dict[RfDetrSize, str] = {
    "nano": "RFDETRNano",
    "small": "RFDETRSmall",
    "medium": "RFDETRMedium",
    "large": "RFDETRLarge",
}


class Found(Protocol):
    """What the package says of one picture: corners of shape (n, 4), scores of shape (n,) and COCO's class names."""

    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    data: Mapping[str, Sequence[str]]


class RfDetrDetector:
    """`weights` None makes a network with random weights, which is for tests of the machinery only.

    `weights_name` becomes a part of the detector's. Raises MediaFailure `internal` where torch or rfdetr is missing.
    """

    def __init__(self, size: RfDetrSize, weights: Path | None, weights_name: str, batch_size: int = BATCH_SIZE) -> None:
        torch = library("torch", _PURPOSE)
        rfdetr = library("rfdetr", _PURPOSE)
        on_gpu = torch.cuda.is_available()
        self._model = getattr(rfdetr, _CLASSES[size])(
            pretrain_weights=None if weights is None else str(weights), device="cuda" if on_gpu else "cpu"
        )
        self._model.inference(compile=False, dtype=torch.float16 if on_gpu else torch.float32, inplace=True)
        self.batch_size = batch_size
        self.name = f"rf-detr-{size}-{version('rfdetr')}-{weights_name}"

    def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
        found = self._model.predict(list(pictures), threshold=LEAST_SCORE, include_source_image=False)
        height, width = pictures.shape[1:3]
        return [kept(one, width, height) for one in found]


def load_rfdetr(
    size: RfDetrSize, directory: Path | None = None, *, batch_size: int = BATCH_SIZE, lock: Path = LOCK
) -> RfDetrDetector:
    """The detector with the locked weights of its size; raises WeightsError, or MediaFailure where torch is missing."""
    name = f"rf-detr-{size}"
    path = verified(name, directory, lock=lock)
    sha256, _ = measured(*chosen(read_lock(lock), [name]))
    return RfDetrDetector(size, path, sha256[:12], batch_size=batch_size)


def kept(found: Found, width: int, height: int) -> list[Detection]:
    """The people and balls of a picture of `width` x `height`, cut to it; what has no area inside is left out."""
    detections = []
    for corners, score, name in zip(found.xyxy, found.confidence, found.data["class_name"], strict=True):
        left, right = (min(max(float(corner), 0.0), float(width)) for corner in corners[[0, 2]])
        top, bottom = (min(max(float(corner), 0.0), float(height)) for corner in corners[[1, 3]])
        if name in LABELS and right > left and bottom > top:
            detections.append(Detection(Box(left, top, right - left, bottom - top), float(score), LABELS[name]))
    return detections

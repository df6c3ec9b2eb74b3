"""The port of detectors: boxes in single pictures, without memory of the one before."""

from typing import Protocol

from gpu.track.detections import Detection, RgbBatch


class Detector(Protocol):
    """`name` tells the network, its version and its weights apart, so that a result says what found its boxes."""

    @property
    def name(self) -> str: ...

    @property
    def batch_size(self) -> int:
        """Pictures that it works on best at once."""
        ...

    def detect(self, pictures: RgbBatch) -> list[list[Detection]]:
        """What is in each picture, in any order, inside the picture and with an area."""
        ...

"""The start-up probe: which upscaler runs on this machine, and why."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gpu.plan.geometry import Size
from gpu.render.errors import MediaFailure
from gpu.upscale.lanczos import LanczosUpscaler
from gpu.upscale.spandrel_model import SpandrelUpscaler, Tuning
from gpu.upscale.upscaler import Upscaler
from gpu.upscale.used import UpscalerUsed
from gpu.weights.libraries import library
from gpu.weights.lock import LOCK, chosen, measured, read_lock
from gpu.weights.store import verified

DEFAULT_WEIGHTS = "realesr-general-x4v3"
"""The small one of Real-ESRGAN's networks for camera pictures; `realesrgan-x4plus` is the large one."""
_PROBE_SIDE = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    upscaler: Upscaler
    reason: str

    @property
    def used(self) -> UpscalerUsed:
        """What a result says of it."""
        return UpscalerUsed(name=self.upscaler.name, ai=self.upscaler.ai, reason=self.reason)


def choose_upscaler(
    weights: str = DEFAULT_WEIGHTS, directory: Path | None = None, *, lock: Path = LOCK, tuning: Tuning | None = None
) -> Choice:
    """A network where a GPU works, Lanczos elsewhere.

    A machine with a GPU and without the right weights is a mistake in its image: raises WeightsError.
    """
    try:
        device = _gpu()
    except MediaFailure as failure:
        return _lanczos(failure.message)
    if device is None:
        return _lanczos("there is no GPU here")
    path = verified(weights, directory, lock=lock)
    sha256, _ = measured(*chosen(read_lock(lock), [weights]))
    try:
        network = SpandrelUpscaler(path, f"{weights}-{sha256[:12]}", tuning=tuning)
        side = _PROBE_SIDE * network.factor
        network.upscale(np.zeros((1, _PROBE_SIDE, _PROBE_SIDE, 3), np.uint8), Size(side, side))
    except RuntimeError as error:  # what torch raises for a GPU that is too old, too full or out of order
        log.warning("the network does not run on %s", device, exc_info=error)
        return _lanczos(f"the network does not run on this machine's {device}")
    return Choice(network, f"AI upscaling with {weights} on {device}.")


def _gpu() -> str | None:
    """The GPU's name, or None; raises MediaFailure where torch or spandrel is missing."""
    torch = library("torch", "AI upscaling")
    library("spandrel", "AI upscaling")
    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


def _lanczos(reason: str) -> Choice:
    return Choice(LanczosUpscaler(), f"Enlarged without AI (Lanczos): {reason}.")

"""Small networks with random weights, saved as trained ones are: they make noise of a picture, but the same noise."""

from pathlib import Path
from typing import Any

import pytest


def torch_or_skip() -> Any:
    for name in ("spandrel", "torch"):
        module = pytest.importorskip(name, reason=f"{name} is only on images for networks")
    return module


def save_compact(
    path: Path, *, scale: int = 4, convolutions: int = 3, channels: int = 3, overflow: bool = False, empty: bool = False
) -> Path:
    """A RealESRGAN Compact of `convolutions` + 2 layers: it looks that many pixels far.

    With `overflow` numbers inside are far beyond what fp16 holds, and come back into range before the end. An `empty`
    one adds nothing to the pixels, which it repeats.
    """
    torch = torch_or_skip()
    from_spandrel = pytest.importorskip("spandrel.architectures.Compact")
    torch.manual_seed(20260321)
    network = from_spandrel.Compact(
        num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=convolutions, upscale=scale
    )
    state = network.state_dict()
    if overflow:
        state["body.0.weight"] *= 1e7
        state["body.0.bias"] *= 1e7
        state["body.2.weight"] /= 1e7
    if empty:
        state = {name: torch.zeros_like(values) for name, values in state.items()}
    torch.save(state, path)
    return path


def save_esrgan(path: Path) -> Path:
    """The architecture of Real-ESRGAN's large network, with one block of eight features."""
    torch = torch_or_skip()
    from_spandrel = pytest.importorskip("spandrel.architectures.ESRGAN")
    torch.manual_seed(20260321)
    network = from_spandrel.ESRGAN(num_filters=8, num_blocks=1, scale=4)
    torch.save(network.state_dict(), path)
    return path

"""A trained network, loaded by spandrel (MIT). Needs torch; the weights' hash is checked before they come here.

Only architectures of spandrel itself: `spandrel_extra_arches` has other licences. Pictures are cut into tiles of one
size, and tiles of all pictures are worked on in batches. On a GPU it computes in fp16, which is checked once against
fp32 on a tile of noise: a network that overflows is run in fp32.
"""

import logging
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from gpu.plan.geometry import Size
from gpu.upscale.tiles import Tile, Tiling, tile_picture
from gpu.upscale.upscaler import RgbBatch, check_larger
from gpu.weights.libraries import library

HALF_TOLERANCE = 2 / 255
"""Largest mean difference of fp16 to fp32: what cannot be seen."""
_PURPOSE = "upscaling with a network"
_PROBE_SIDE = 64
_PROBE_SEED = 20260321

log = logging.getLogger(__name__)
Tensor = Any
Model = Any
Dtype = Any
Module = Any
"""Types of torch and spandrel, which are not installed where types are checked."""


@dataclass(frozen=True)
class Tuning:
    """Tiles of `tile` pixels with `margin` pixels of surroundings, `batch` of them at once.

    The margin is as far as the default network looks: 34 convolutions of 3 x 3. Deeper ones look further, but hardly.
    A tile holds all of a picture that becomes 1080p. None of the three has been measured on a GPU yet.
    """

    tile: int = 512
    margin: int = 34
    batch: int = 4


class SpandrelUpscaler:
    """Enlarges by the network's own factor, then to the size that is asked for. Raises MediaFailure without torch."""

    ai = True

    def __init__(
        self, weights: Path, weights_name: str, *, device: str = "cuda", half: bool = True, tuning: Tuning | None = None
    ) -> None:
        """`weights_name` becomes a part of the name. Raises ValueError for a network that is no upscaler of RGB."""
        self._torch = library("torch", _PURPOSE)
        spandrel = library("spandrel", _PURPOSE)
        self._tuning = tuning or Tuning()
        self._model = _load(spandrel, weights, device)
        _check(self._model, spandrel)
        self.half = False
        if half and self._model.supports_half:
            rounded = _load(spandrel, weights, device).half()
            if self._agree(self._model, rounded):
                self.half, self._model = True, rounded
        self._model.model.to(memory_format=self._torch.channels_last)
        kind = f"{self._model.architecture.id.lower()}-x{self.factor}-{'fp16' if self.half else 'fp32'}"
        self.name = f"spandrel-{version('spandrel')}-{kind}-{weights_name}"

    @property
    def factor(self) -> int:
        return int(self._model.scale)

    def upscale(self, pictures: RgbBatch, size: Size) -> RgbBatch:
        check_larger(pictures, size)
        torch = self._torch
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._model.device)
            larger = self._enlarged(given.permute(0, 3, 1, 2).to(self._dtype).div_(255))
            if larger.shape[-2:] != (size.height, size.width):
                larger = torch.nn.functional.interpolate(
                    larger.float(), (size.height, size.width), mode="bicubic", antialias=True
                )
            levels = larger.mul(255).round_().clamp_(0, 255).to(torch.uint8)
            return np.asarray(levels.permute(0, 2, 3, 1).contiguous().cpu().numpy(), np.uint8)

    @property
    def _dtype(self) -> Dtype:
        return self._torch.float16 if self.half else self._torch.float32

    def _enlarged(self, pictures: Tensor) -> Tensor:
        """(n, 3, h, w) in 0..1 -> (n, 3, h * factor, w * factor)."""
        count, _, height, width = pictures.shape
        factor, batch = self.factor, self._tuning.batch
        tiling = tile_picture(Size(width, height), self._tuning.tile, self._tuning.margin)
        larger = pictures.new_empty((count, 3, height * factor, width * factor))
        work = [(number, tile) for number in range(count) for tile in tiling.tiles]
        for start in range(0, len(work), batch):
            part = work[start : start + batch]
            results = self._model(self._stacked(pictures, part, tiling))
            for (number, tile), result in zip(part, results, strict=True):
                _keep(result, tile, larger[number], factor)
        return larger

    def _stacked(self, pictures: Tensor, part: list[tuple[int, Tile]], tiling: Tiling) -> Tensor:
        width, height = tiling.size
        tiles = [
            pictures[
                number, :, tile.down.start : tile.down.start + height, tile.across.start : tile.across.start + width
            ]
            for number, tile in part
        ]
        return self._torch.stack(tiles).contiguous(memory_format=self._torch.channels_last)

    def _agree(self, exact: Model, rounded: Model) -> bool:
        """Whether fp16 gives what fp32 gives on a tile of noise."""
        noise = np.random.default_rng(_PROBE_SEED).random((1, 3, _PROBE_SIDE, _PROBE_SIDE), np.float32)
        tile = self._torch.from_numpy(noise).to(exact.device)
        miss = float((rounded(tile.half()).float() - exact(tile)).abs().mean())
        if miss <= HALF_TOLERANCE:
            return True
        log.warning("%s is off by %g in fp16; it runs in fp32", exact.architecture.id, miss)
        return False


def _load(spandrel: Module, weights: Path, device: str) -> Model:
    return spandrel.ModelLoader(device=device).load_from_file(weights).eval()


def _check(model: Model, spandrel: Module) -> None:
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.purpose != "SR":
        raise ValueError(f"{model.architecture.id} does not upscale pictures")
    if (model.input_channels, model.output_channels) != (3, 3) or model.scale < 2:
        raise ValueError(f"{model.architecture.id} does not make RGB pictures larger")
    if model.tiling != spandrel.ModelTiling.SUPPORTED:
        raise ValueError(f"{model.architecture.id} needs to see the whole picture; choose one that works on tiles")


def _keep(result: Tensor, tile: Tile, larger: Tensor, factor: int) -> None:
    """Copies what is kept of an enlarged tile into its picture."""
    across, down = tile
    rows = slice((down.keep_from - down.start) * factor, (down.keep_to - down.start) * factor)
    columns = slice((across.keep_from - across.start) * factor, (across.keep_to - across.start) * factor)
    larger[:, down.keep_from * factor : down.keep_to * factor, across.keep_from * factor : across.keep_to * factor] = (
        result[:, rows, columns]
    )

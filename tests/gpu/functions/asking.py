"""Small requests for what a test's storage holds."""

from collections.abc import Mapping
from typing import Any

from gpu.contract import DeriveResponse, TrackResponse, UpscaleResponse
from gpu.functions.derive import DERIVE
from gpu.functions.track import TRACK
from gpu.functions.upscale import UPSCALE
from tests.gpu.render.storage import Storage


def derive(storage: Storage, work: Mapping[str, object]) -> DeriveResponse:
    return DERIVE.answer({**_given(storage), "work": work})


def track(storage: Storage, out_frame: int = 20) -> TrackResponse:
    frames = {"in_frame": 0, "out_frame": out_frame}
    return TRACK.answer({**_given(storage), "frames": frames, "stride": 2, "output_url": storage.url("tracks.json")})


def upscale(storage: Storage, width: int, height: int) -> UpscaleResponse:
    return UPSCALE.answer(upscaling(storage, width, height, 5, 15))


def upscaling(storage: Storage, width: int, height: int, in_frame: int, out_frame: int) -> dict[str, Any]:
    frames, size = {"in_frame": in_frame, "out_frame": out_frame}, {"width": width, "height": height}
    return {**_given(storage), "frames": frames, "size": size, "output_url": storage.url("large.mp4")}


def _given(storage: Storage) -> dict[str, Any]:
    return {"progress_key": "key", "source_url": storage.url("game.mp4")}

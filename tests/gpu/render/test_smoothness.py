"""A moving crop moves smoothly: the picture's error against the plan stays far below a pixel."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.geometry import Rect
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize
from gpu.render import writer
from gpu.render.picture import Plane
from tests.gpu.render.rendering import plan_of, render
from tests.gpu.render.videos import read_lumas, write_pictures

JUDDER_LIMIT = 0.1
BLOB = (171.3, 88.6)
FRAMES = 45


def blob() -> Plane:
    """One soft spot at BLOB, in pixel centres."""
    x, y = np.meshgrid(np.arange(320), np.arange(180))
    spot = 190 * np.exp(-((x - BLOB[0]) ** 2 + (y - BLOB[1]) ** 2) / (2 * 7.0**2))
    return np.asarray(20 + spot, np.uint8)


def centroid(luma: Plane) -> npt.NDArray[np.float64]:
    """Centre of what is brighter than the ground, in pixels."""
    weight = np.clip(luma.astype(float) - 30, 0, None)
    x, y = np.meshgrid(np.arange(luma.shape[1]), np.arange(luma.shape[0]))
    return np.array([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])


def planned(crop: Rect, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Where the warp's formula puts BLOB in the output."""
    x = (BLOB[0] + 0.5 - crop.x) * size[0] / crop.width - 0.5
    y = (BLOB[1] + 0.5 - crop.y) * size[1] / crop.height - 0.5
    return np.array([x, y])


def errors_of(folder: Path) -> npt.NDArray[np.float64]:
    """Where the spot is less where the plan puts it, for each frame of a slow pan with zoom."""
    video = write_pictures(folder / "blob.mp4", [blob()] * FRAMES)
    spec = EditSpec.of_clip(
        in_frame=0,
        out_frame=FRAMES,
        crop_keyframes=(
            CropKeyframe(frame=0, x=118, y=0, width=101.25, height=180),
            CropKeyframe(frame=FRAMES - 1, x=137.7, y=20.2, width=78.75, height=140),
        ),
        size=OutputSize(width=216, height=384),
    )
    render(video, spec, folder / "out.mp4")
    drawn = [centroid(luma) for luma in read_lumas(folder / "out.mp4")]
    places = [planned(crop, (216, 384)) for crop in plan_of(video, spec).clips[0].crops]
    return np.array(drawn) - np.array(places)


def test_judder_is_below_a_tenth_of_a_pixel(tmp_path: Path) -> None:
    steps = np.diff(errors_of(tmp_path), axis=0)
    assert np.sqrt((steps**2).mean()) <= JUDDER_LIMIT


def test_the_picture_is_where_the_plan_puts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoded finely, so that only the warp is measured."""
    monkeypatch.setattr(writer, "CRF", 4)
    assert np.abs(errors_of(tmp_path)).max() <= 0.1

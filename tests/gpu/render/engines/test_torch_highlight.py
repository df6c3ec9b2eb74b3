"""The highlight in torch against the one in OpenCV: no sample differs by more than a code."""

from itertools import product

import numpy as np
import pytest
from av.video.frame import VideoFrame

from gpu.plan.ellipse import Ellipse
from gpu.plan.geometry import Size
from gpu.plan.spec import Effect, HighlightStyle
from gpu.render.engines.torch_highlight import highlight
from gpu.render.highlight import Highlighter
from gpu.render.picture import planes

torch = pytest.importorskip("torch", reason="torch is only on images for GPUs")
SIZE = Size(160, 90)
ELLIPSES = (
    Ellipse(80.3, 44.1, 30, 20, "#ffd400", 1.0, 0.0, 1.0),
    None,
    Ellipse(10, 85, 40.5, 60.25, "#0040ff", 0.6, 0.3, 0.5),
    Ellipse(-30, 20, 12, 9, "#ff0000", 0.0, 1.0, 1.0),
    Ellipse(120, 50, 2, 2, "#00ff00", 1.0, 1.0, 1.0),
)


@pytest.mark.parametrize(
    ("effect", "softness", "ring"), [*product(("spotlight", "brighten"), (0.0, 0.3, 1.0), (0.0, 0.06, 0.5))]
)
def test_both_draw_the_same_highlight(effect: Effect, softness: float, ring: float) -> None:
    style = HighlightStyle(effect=effect, strength=0.8, softness=softness, ring_width=ring)
    dice = np.random.default_rng(20261122)
    frames = [VideoFrame(*SIZE, "yuv420p") for _ in ELLIPSES]
    for frame in frames:
        for plane in planes(frame):
            plane[:] = dice.integers(16, 236, plane.shape, np.uint8)
    stacked = zip(*(planes(frame) for frame in frames), strict=True)
    made = [torch.from_numpy(np.stack(each)).float() for each in stacked]
    highlight(made, ELLIPSES, style)
    highlighter = Highlighter(SIZE, style)
    for index, (frame, ellipse) in enumerate(zip(frames, ELLIPSES, strict=True)):
        if ellipse is not None:
            highlighter.draw(planes(frame), ellipse, planes(frame))
        for expected, drawn in zip(planes(frame), made, strict=True):
            assert np.abs(drawn[index].numpy() - expected).max() <= 1

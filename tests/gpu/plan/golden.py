"""The golden fixtures of the interpolation: cases as JSON that every implementation of it must meet.

Crop tracks are here, whole plans in `golden_plans`; the README beside the fixtures says what they mean.

`python -m tests.gpu.plan.golden` writes them anew after a wanted change of the formula; review the difference.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu.plan import compile_plan
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize
from tests.gpu.plan.golden_plans import DIGITS, PLAN_CASES, text_of
from tests.gpu.plan.specs import probe

FOLDER = Path(__file__).parents[2] / "fixtures" / "interpolation"
PLANS = FOLDER / "plans"


@dataclass(frozen=True)
class Case:
    """A track on a clip of `frames` frames; keyframes are (frame, x, y, width, height, easing)."""

    name: str
    source: tuple[int, int]
    size: tuple[int, int]
    frames: int
    keyframes: tuple[tuple[int, float, float, float, float, str], ...]

    def spec(self) -> EditSpec:
        keys = CropKeyframe.model_fields
        track = tuple(CropKeyframe.model_validate(dict(zip(keys, values, strict=True))) for values in self.keyframes)
        return EditSpec.of_clip(
            in_frame=0,
            out_frame=self.frames,
            crop_keyframes=track,
            size=OutputSize(width=self.size[0], height=self.size[1]),
        )

    def fixture(self) -> dict[str, Any]:
        plan = compile_plan(self.spec(), probe(*self.source, frames=self.frames))
        return {
            "source": {"width": self.source[0], "height": self.source[1]},
            "size": {"width": self.size[0], "height": self.size[1]},
            "frame_count": self.frames,
            "crop_keyframes": [one.model_dump(mode="json") for one in self.spec().clips[0].crop_keyframes],
            "rectangles": [[round(value, DIGITS) for value in crop] for crop in plan.clips[0].crops],
        }


HD, TALL = (1920, 1080), (1080, 1920)
CASES = (
    Case("one-keyframe", HD, TALL, 6, ((2, 400, 0, 607.5, 1080, "smooth"),)),
    Case("linear-pan", HD, TALL, 12, ((0, 0, 0, 607.5, 1080, "linear"), (10, 1000, 0, 607.5, 1080, "linear"))),
    Case("hold-then-jump", HD, TALL, 12, ((0, 100, 0, 607.5, 1080, "hold"), (6, 900, 0, 607.5, 1080, "linear"))),
    Case("smooth-pan", HD, TALL, 24, ((2, 50, 0, 607.5, 1080, "smooth"), (20, 1250, 0, 607.5, 1080, "smooth"))),
    Case(
        "smooth-through-three",
        HD,
        TALL,
        40,
        (
            (0, 0, 0, 607.5, 1080, "smooth"),
            (10, 200, 0, 607.5, 1080, "smooth"),
            (20, 1000, 0, 607.5, 1080, "smooth"),
            (39, 500, 0, 607.5, 1080, "smooth"),
        ),
    ),
    Case(
        "linear-into-smooth",
        HD,
        TALL,
        30,
        (
            (0, 0, 0, 607.5, 1080, "linear"),
            (10, 300, 0, 607.5, 1080, "smooth"),
            (25, 1200, 0, 607.5, 1080, "linear"),
        ),
    ),
    Case(
        "smooth-over-uneven-lengths",
        HD,
        TALL,
        21,
        (
            (0, 0, 0, 607.5, 1080, "smooth"),
            (4, 200, 0, 607.5, 1080, "smooth"),
            (20, 400, 0, 607.5, 1080, "smooth"),
        ),
    ),
    Case(
        "fast-linear-into-slow-smooth",
        HD,
        TALL,
        21,
        (
            (0, 0, 0, 607.5, 1080, "linear"),
            (10, 1000, 0, 607.5, 1080, "smooth"),
            (20, 1100, 0, 607.5, 1080, "smooth"),
        ),
    ),
    Case(
        "zoom-in-the-corner",
        HD,
        TALL,
        20,
        ((0, 1312.5, 0, 607.5, 1080, "smooth"), (19, 1650, 600, 270, 480, "smooth")),
    ),
    Case("ratio-a-little-off", HD, TALL, 4, ((0, 100, 0, 610, 1080, "linear"), (3, 700, 10, 600, 1070, "linear"))),
    Case(
        "square-from-portrait",
        (1080, 1920),
        (1080, 1080),
        16,
        ((0, 0, 0, 1080, 1080, "smooth"), (8, 200, 700, 600, 600, "hold"), (12, 0, 840, 1080, 1080, "smooth")),
    ),
)


def main() -> None:
    PLANS.mkdir(exist_ok=True)
    for case in CASES:
        text = json.dumps(case.fixture(), indent=1)
        (FOLDER / f"{case.name}.json").write_text(text + "\n")
    for plan in PLAN_CASES:
        (PLANS / f"{plan.name}.json").write_text(text_of(plan.fixture()))


if __name__ == "__main__":
    main()

"""How near the pictures of two engines are, and plans on which engines are compared."""

import random
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from gpu.plan import RenderPlan, compile_plan
from gpu.plan.spec import (
    Caption,
    ClipEdit,
    CropKeyframe,
    Easing,
    EditSpec,
    EllipseKeyframe,
    HighlightRegion,
    HighlightStyle,
    OutputSize,
    ProbeInfo,
    Retime,
    Transition,
    TransitionKind,
)
from gpu.render.painter import painted
from gpu.render.picture import planes
from gpu.render.produce import probe_file
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources

LEAST_PSNR = 50.0
"""Decibels on lossless frames, of all samples of a picture and of the worst picture."""
Pictures = list[npt.NDArray[np.uint8]]
"""Y, U and V of each frame, one row of bytes a frame."""


def plan_of(spec: EditSpec, *videos: Path) -> RenderPlan:
    return compile_plan(spec, *map(probed, videos))


def probed(video: Path) -> ProbeInfo:
    with video.open("rb") as file:
        return probe_file(file)


def reference(plan: RenderPlan, *videos: Path) -> Pictures:
    with Shelf(LocalSources(videos)) as shelf:
        return rows(painted(plan, range(plan.frame_count), shelf, deque()))


def rows(frames: Iterable[VideoFrame]) -> Pictures:
    return [np.concatenate([plane.ravel() for plane in planes(one)]) for one in frames]


def worst_psnr(one: Pictures, other: Pictures) -> float:
    """Of the pictures in pairs, at 255; infinite when all are equal."""
    assert len(one) == len(other), f"{len(one)} pictures and {len(other)}"
    errors = [np.square(left.astype(np.int16) - right).mean() for left, right in zip(one, other, strict=True)]
    return float("inf") if max(errors) == 0 else 10 * float(np.log10(255**2 / max(errors)))


def any_edit(seed: int, frame_count: int, width: int, height: int) -> EditSpec:
    """An edit of everything there is: crops that move, speeds, transitions, highlights and captions."""
    dice = random.Random(seed)
    size = OutputSize(width=dice.randrange(120, 400, 2), height=dice.randrange(120, 400, 2))
    clips = tuple(
        _any_clip(dice, frame_count, (width, height), size.width / size.height) for _ in range(dice.randint(1, 3))
    )
    shortest = min(clip.frame_count for clip in clips)
    kind: TransitionKind = dice.choice(("cut", "fade", "dissolve"))
    frames = 0 if kind == "cut" else dice.randint(1, max(1, shortest // 4 // 4))
    color = f"#{dice.randrange(1 << 24):06x}"
    key = EllipseKeyframe(
        frame=0,
        x=dice.uniform(-20, size.width + 20),
        y=dice.uniform(-20, size.height + 20),
        radius_x=dice.uniform(2, size.width / 2),
        radius_y=dice.uniform(2, size.height / 2),
        color=color,
        stroke_opacity=dice.choice((0, 0.4, 1)),
        fill_opacity=dice.choice((0, 0, 0.3)),
    )
    region = HighlightRegion(in_frame=0, out_frame=dice.randint(1, 4), fade_frames=dice.randint(0, 2), keyframes=(key,))
    style = HighlightStyle(
        effect=dice.choice(("spotlight", "brighten")),
        strength=dice.random(),
        softness=dice.random(),
        ring_width=dice.choice((0, 0.06, 0.5)),
    )
    return EditSpec(
        clips=clips,
        transition=Transition(kind=kind, frames=frames),
        size=size,
        regions=(region,),
        style=style,
    )


def _any_clip(dice: random.Random, frame_count: int, source: tuple[int, int], ratio: float) -> ClipEdit:
    length = dice.randint(12, 16)
    start = dice.randint(0, frame_count - length)
    retime = Retime(boundaries=(0, 8, length), speeds_percent=(dice.randint(50, 200), dice.randint(50, 200)))
    easing: Easing = dice.choice(("linear", "smooth", "hold"))
    keys = []
    for frame in (0, length - 1):
        width = min(source[0], source[1] * ratio) * dice.uniform(0.3, 1)
        x, y = dice.uniform(0, source[0] - width), dice.uniform(0, source[1] - width / ratio)
        keys.append(CropKeyframe(frame=frame, x=x, y=y, width=width, height=width / ratio, easing=easing))
    caption = Caption(rating=dice.randint(1, 5), tags=("goal",), notes="A fine save.") if dice.random() < 0.5 else None
    return ClipEdit(
        in_frame=start,
        out_frame=start + length,
        crop_keyframes=tuple(keys),
        retime=dice.choice((None, retime)),
        audio=False,
        caption=caption,
    )

"""Whole plans as golden fixtures: an edit, the facts of its sources, and what is on every frame of the result."""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from gpu.plan import RenderPlan, compile_plan, duration
from gpu.plan.spec import (
    ClipEdit,
    CropKeyframe,
    Easing,
    EditSpec,
    EllipseKeyframe,
    FrameRate,
    HighlightRegion,
    ProbeInfo,
    Retime,
    Transition,
    Trim,
)
from tests.gpu.plan.specs import PORTRAIT, keyframe, probe

DIGITS = 10
"""Of fixtures: below the 1e-9 to which every implementation agrees."""
NTSC = (30000, 1001)
HD = probe(frames=300)
MOVE = (keyframe(0, 100), keyframe(29, 900, 400))


@dataclass(frozen=True)
class PlanCase:
    """`probes[i]` are the facts of source i."""

    name: str
    spec: EditSpec
    probes: tuple[ProbeInfo, ...] = (HD,)

    def fixture(self) -> dict[str, Any]:
        plan = compile_plan(self.spec, *self.probes)
        return {
            "spec": self.spec.model_dump(mode="json"),
            "probes": [one.model_dump(mode="json") for one in self.probes],
            "duration": asdict(duration(self.spec, *self.probes)),
            "size": plan.size._asdict(),
            "rows": [_row(plan, frame) for frame in range(plan.frame_count)],
        }


def text_of(fixture: dict[str, Any]) -> str:
    """JSON with one line for each row."""
    head = json.dumps({**fixture, "rows": []}, indent=1).removesuffix("[]\n}")
    rows = ",\n  ".join(json.dumps(row) for row in fixture["rows"])
    return f"{head}[\n  {rows}\n ]\n}}\n"


def _row(plan: RenderPlan, frame: int) -> dict[str, Any]:
    layers = [
        {
            "source": clip.source,
            "frame": clip.source_frames[frame - clip.first],
            "crop": [round(value, DIGITS) for value in clip.crops[frame - clip.first]],
            "opacity": round(clip.opacities[frame - clip.first], DIGITS),
        }
        for clip in plan.clips
        if clip.first <= frame < clip.end
    ]
    ellipse = plan.ellipses[frame]
    return {"layers": layers, "ellipse": _rounded(ellipse._asdict()) if ellipse else None}


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}


def _clip(start: int, end: int, **other: Any) -> ClipEdit:
    return ClipEdit(in_frame=start, out_frame=end, **other)


def _one(clip: ClipEdit, **other: Any) -> EditSpec:
    return EditSpec(clips=(clip,), size=PORTRAIT, **other)


def _speeds(*parts: int) -> Retime:
    """Boundaries and speeds by turns: 0, percent, boundary, percent, boundary, ..."""
    return Retime(boundaries=parts[::2], speeds_percent=parts[1::2])


def _jittered(frames: int, gap: int, easings: dict[int, Easing]) -> tuple[CropKeyframe, ...]:
    """What a tracker gives: a slow path with a fast tremble."""
    return tuple(
        keyframe(
            frame,
            500 + 350 * math.sin(frame / 25) + 40 * math.sin(frame * 1.7),
            450 + 60 * math.cos(frame / 40) + 15 * math.cos(frame * 2.3),
            easings.get(frame, "smooth"),
        )
        for frame in range(3, frames - 2, gap)
    )


def _ellipse(frame: int, x: float, radius: float, easing: Easing = "smooth", color: str = "#ffd400") -> EllipseKeyframe:
    return EllipseKeyframe(
        frame=frame,
        x=x,
        y=900 - x / 3,
        radius_x=radius,
        radius_y=radius * 1.5,
        color=color,
        stroke_opacity=0.9,
        fill_opacity=radius / 200,
        easing=easing,
    )


def _named(name: str, clip: ClipEdit, *probes: ProbeInfo, **other: Any) -> PlanCase:
    return PlanCase(name, _one(clip, **other), probes or (HD,))


_SLOW = (keyframe(0, 100), keyframe(5, 300))
_HALVES = (_clip(20, 50, crop_keyframes=MOVE), _clip(90, 105), _clip(200, 230, crop_keyframes=MOVE))
_TWO_SOURCES = (probe(frames=120), probe(1280, 720, (25, 1), frames=200, audio=False))
_JOINED = (_clip(0, 20, crop_keyframes=MOVE[:1]), _clip(50, 75, source=1), _clip(60, 78, crop_keyframes=MOVE[:1]))

PLAN_CASES = (
    PlanCase("extraction-of-odd-size", EditSpec.of_clip(7, 12), (probe(853, 481, frames=20),)),
    _named("quarter-speed", _clip(10, 16, crop_keyframes=_SLOW, retime=_speeds(0, 25, 6))),
    _named("four-times-speed", _clip(10, 53, crop_keyframes=MOVE, retime=_speeds(0, 400, 43))),
    _named("split-inside-an-ease", _clip(0, 30, crop_keyframes=MOVE, retime=_speeds(0, 100, 11, 50, 20, 230, 30))),
    _named(
        "trim-across-speeds",
        _clip(
            40,
            70,
            crop_keyframes=MOVE,
            retime=_speeds(0, 50, 10, 100, 15, 100, 21, 175, 30),
            trim=Trim(in_frame=6, out_frame=25),
        ),
    ),
    _named("ntsc", _clip(11, 41, crop_keyframes=MOVE), probe(fps=NTSC, frames=60)),
    _named("ntsc-at-25", _clip(11, 41, crop_keyframes=MOVE), probe(fps=NTSC, frames=60), rate=FrameRate(num=25)),
    _named("25-at-60", _clip(11, 26, crop_keyframes=MOVE[:1]), probe(fps=(25, 1), frames=60), rate=FrameRate(num=60)),
    PlanCase(
        "dissolves-of-two-sources",
        EditSpec(clips=_JOINED, transition=Transition(kind="dissolve", frames=8), size=PORTRAIT),
        _TWO_SOURCES,
    ),
    PlanCase(
        "fades-of-odd-length", EditSpec(clips=_HALVES, transition=Transition(kind="fade", frames=5), size=PORTRAIT)
    ),
    _named(
        "regions-with-fade",
        _clip(0, 40, crop_keyframes=MOVE),
        regions=(
            HighlightRegion(
                in_frame=4,
                out_frame=20,
                fade_frames=4,
                keyframes=(_ellipse(6, 300, 60), _ellipse(11, 420, 80, "linear", "#00aaff"), _ellipse(15, 400, 50)),
            ),
            HighlightRegion(in_frame=20, out_frame=25, enabled=False, keyframes=(_ellipse(22, 300, 60),)),
            HighlightRegion(in_frame=30, out_frame=35, fade_frames=3, keyframes=(_ellipse(30, 300, 60),)),
        ),
    ),
    _named("smoothing-0.5", _clip(0, 60, crop_keyframes=_jittered(60, 3, {}), crop_smoothing=0.5)),
    _named(
        "smoothing-0.9-of-60-a-second",
        _clip(0, 60, crop_keyframes=_jittered(60, 7, {}), crop_smoothing=0.9),
        probe(fps=(60, 1)),
    ),
    _named("smoothing-1", _clip(0, 40, crop_keyframes=_jittered(40, 7, {}), crop_smoothing=1)),
    _named(
        "smoothing-with-hold-and-linear",
        _clip(
            0,
            60,
            crop_keyframes=_jittered(60, 5, {13: "linear", 33: "hold", 38: "hold", 48: "linear"}),
            crop_smoothing=0.6,
        ),
    ),
)

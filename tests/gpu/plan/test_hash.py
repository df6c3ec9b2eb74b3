"""The plan's hash: another one for every number and text that an engine may draw, the same one for the same picture."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gpu.plan import RenderPlan, compile_plan
from gpu.plan.spec import (
    Caption,
    ClipEdit,
    EditSpec,
    EllipseKeyframe,
    FrameRate,
    HighlightRegion,
    HighlightStyle,
    Retime,
    Transition,
    Trim,
)
from tests.gpu.plan.specs import PORTRAIT, framing, keyframe, probe

KEYS = tuple(keyframe(frame, x) for frame, x in ((0, 10), (8, 300), (15, 200), (19, 900)))
CLIP = ClipEdit(
    in_frame=3,
    out_frame=23,
    crop_keyframes=KEYS,
    crop_smoothing=0.5,
    retime=Retime(boundaries=(0, 10, 20), speeds_percent=(100, 50)),
    trim=Trim(in_frame=1, out_frame=19),
    caption=Caption(rating=3, tags=("goal",), notes="Left foot."),
)
ELLIPSE = EllipseKeyframe(frame=4, x=20, y=30, radius_x=40, radius_y=50)
REGION = HighlightRegion(in_frame=2, out_frame=9, fade_frames=2, keyframes=(ELLIPSE,))
SPEC = EditSpec(
    clips=(CLIP, CLIP.model_copy(update={"in_frame": 30, "out_frame": 50})),
    transition=Transition(kind="dissolve", frames=4),
    size=PORTRAIT,
    regions=(REGION,),
)
PROBE = probe(frames=100)


def with_clip(**changes: Any) -> EditSpec:
    return SPEC.model_copy(update={"clips": (CLIP.model_copy(update=changes), SPEC.clips[1])})


def with_key(**changes: Any) -> EditSpec:
    return with_clip(crop_keyframes=(*KEYS[:2], KEYS[2].model_copy(update=changes), KEYS[3]))


def with_region(**changes: Any) -> EditSpec:
    return SPEC.model_copy(update={"regions": (REGION.model_copy(update=changes),)})


def with_ellipse(**changes: Any) -> EditSpec:
    return with_region(keyframes=(ELLIPSE.model_copy(update=changes),))


def with_style(**changes: Any) -> EditSpec:
    return SPEC.model_copy(update={"style": HighlightStyle(**changes)})


CHANGES: dict[str, EditSpec] = {
    "in and out": with_clip(in_frame=4, out_frame=24),
    "crop place": with_key(x=210),
    "crop size": with_key(width=600, height=600 * 16 / 9),
    "crop frame": with_key(frame=14),
    "crop easing": with_key(easing="linear"),
    "smoothing": with_clip(crop_smoothing=0.51),
    "boundary": with_clip(retime=Retime(boundaries=(0, 11, 20), speeds_percent=(100, 50))),
    "speed": with_clip(retime=Retime(boundaries=(0, 10, 20), speeds_percent=(100, 55))),
    "trim in": with_clip(trim=Trim(in_frame=2, out_frame=19)),
    "trim out": with_clip(trim=Trim(in_frame=1, out_frame=18)),
    "sound": with_clip(audio=False),
    "rating": with_clip(caption=Caption(rating=4, tags=("goal",), notes="Left foot.")),
    "tags": with_clip(caption=Caption(rating=3, tags=("goal", "pass"), notes="Left foot.")),
    "notes": with_clip(caption=Caption(rating=3, tags=("goal",), notes="Right foot.")),
    "no caption": with_clip(caption=None),
    "transition": SPEC.model_copy(update={"transition": Transition(kind="fade", frames=4)}),
    "transition frames": SPEC.model_copy(update={"transition": Transition(kind="dissolve", frames=5)}),
    "size": SPEC.model_copy(update={"size": PORTRAIT.model_copy(update={"width": 1082})}),
    "rate": SPEC.model_copy(update={"rate": FrameRate(num=60)}),
    "order": SPEC.model_copy(update={"clips": SPEC.clips[::-1]}),
    "region in": with_region(in_frame=3),
    "region out": with_region(out_frame=8),
    "region off": with_region(enabled=False),
    "region fade": with_region(fade_frames=3),
    "ellipse x": with_ellipse(x=21.0),
    "ellipse y": with_ellipse(y=31.0),
    "radius x": with_ellipse(radius_x=41.0),
    "radius y": with_ellipse(radius_y=51.0),
    "colour": with_ellipse(color="#ffd401"),
    "stroke": with_ellipse(stroke_opacity=0.9),
    "fill": with_ellipse(fill_opacity=0.1),
    "effect": with_style(effect="brighten"),
    "strength": with_style(strength=0.51),
    "softness": with_style(softness=0.26),
    "ring": with_style(ring_width=0.07),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_field_of_an_edit_changes_the_hash(change: str) -> None:
    assert compile_plan(CHANGES[change], PROBE).sha256() != compile_plan(SPEC, PROBE).sha256()


def nudged(value: Any) -> Iterator[Any]:
    """Copies of a value of a plan, each with one number or text in it changed; of a sequence its first entry."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            for other in nudged(getattr(value, field.name)):
                yield dataclasses.replace(value, **{field.name: other})
    elif hasattr(value, "model_copy"):
        for name in type(value).model_fields:
            yield from (value.model_copy(update={name: other}) for other in nudged(getattr(value, name)))
    elif hasattr(value, "_replace"):
        for name in value._fields:
            yield from (value._replace(**{name: other}) for other in nudged(getattr(value, name)))
    elif isinstance(value, str):
        yield value + "x"
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, Sequence):
        index = next((place for place, one in enumerate(value) if one is not None), None)
        if index is not None:
            for other in nudged(value[index]):
                yield type(value)([*value[:index], other, *value[index + 1 :]])  # type: ignore[call-arg]


def test_every_field_of_a_plan_changes_the_hash() -> None:
    plan = compile_plan(SPEC, PROBE)
    others = list(nudged(plan))
    assert len(others) > 35
    assert len({plan.sha256(), *(other.sha256() for other in others)}) == len(others) + 1


def test_a_zero_has_no_sign() -> None:
    plan = compile_plan(SPEC, PROBE)
    clip = plan.clips[0]

    def at(x: float) -> RenderPlan:
        crops = [clip.crops[0]._replace(x=x), *clip.crops[1:]]
        return dataclasses.replace(plan, clips=(dataclasses.replace(clip, crops=crops), *plan.clips[1:]))

    assert at(-0.0) == at(0.0)
    assert at(-0.0).sha256() == at(-1e-9).sha256() == at(0.0).sha256()


def test_equal_plans_have_equal_hashes_and_others_not() -> None:
    plans = [compile_plan(framing([keyframe(0, x), keyframe(50, 900)]), probe()) for x in (100, 100, 100.01)]
    hashes = [plan.sha256() for plan in plans]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_hash_of_a_known_plan_stays() -> None:
    """A change here means that every stored plan's hash is stale: raise PLAN_VERSION on purpose, never by accident."""
    plan = compile_plan(framing([keyframe(0, 0), keyframe(9, 90, easing="linear")], 5, 15), probe())
    assert plan.sha256() == "76acd17c0f215795cfd691b320af119cd9eae77da5b31425f39db25675629e14"

"""Random edits that fit their sources, for laws that hold for all of them.

`limits` keeps them small: a renderer's tests want few short clips, a plan's tests want everything.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from hypothesis import strategies as st

from gpu.plan.duration import duration
from gpu.plan.geometry import Size
from gpu.plan.spec import (
    FASTEST_PERCENT,
    SLOWEST_PERCENT,
    Caption,
    ClipEdit,
    CropKeyframe,
    Easing,
    EditSpec,
    EllipseKeyframe,
    FrameRate,
    HighlightRegion,
    HighlightStyle,
    OutputSize,
    ProbeInfo,
    Retime,
    Transition,
    TransitionKind,
    Trim,
)
from gpu.plan.timeline import source_rate, timeline
from gpu.plan.validation import SMALLEST_CROP, output_size
from tests.gpu.plan.specs import probe

Rate = tuple[int, int]
RATES: tuple[Rate, ...] = (
    (24000, 1001), (25, 1), (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1), (120, 1), (12345, 1000),
)  # fmt: skip
SOURCE_SIZES = ((1920, 1080), (1080, 1920), (853, 481), (640, 360))
EASINGS: st.SearchStrategy[Easing] = st.sampled_from(("linear", "smooth", "hold"))


class Limits(NamedTuple):
    """Of an edit: clips, source frames of each, sizes and rates of the result (None: the first source's), texts, crops.

    A source has at least `frames` frames, and a clip takes at least what fills one frame at four times its speed.
    """

    clips: int = 5
    frames: int = 60
    sizes: tuple[tuple[int, int] | None, ...] = (None, (1080, 1920), (1920, 1080), (720, 720), (64, 36))
    rates: tuple[Rate | None, ...] = (None, *RATES)
    captions: bool = True
    crops: bool = True


ANY = Limits()
SHORT = Limits(clips=3, frames=24, sizes=(None, (64, 36)), rates=(None, (25, 1), (30000, 1001), (30, 1)))
"""For tests that render: at most some 300 small pictures."""


class Edited(NamedTuple):
    """An edit and the facts of its sources."""

    spec: EditSpec
    probes: tuple[ProbeInfo, ...]


@st.composite
def edited(draw: st.DrawFn, limits: Limits = ANY) -> Edited:
    """Made-up sources and an edit of them."""
    probes = tuple(
        probe(*draw(st.sampled_from(SOURCE_SIZES)), draw(st.sampled_from(RATES)), frames, draw(st.booleans()))
        for frames in draw(st.lists(st.integers(limits.frames, 10 * limits.frames), min_size=1, max_size=3))
    )
    return Edited(draw(edits(probes, limits)), probes)


@st.composite
def edits(draw: st.DrawFn, probes: Sequence[ProbeInfo], limits: Limits = ANY) -> EditSpec:
    """An edit that `check_spec` accepts for sources of these facts."""
    size, rate = draw(st.sampled_from(limits.sizes)), draw(st.sampled_from(limits.rates))
    sources = draw(st.lists(st.integers(0, len(probes) - 1), min_size=1, max_size=limits.clips))
    blank = EditSpec(
        clips=tuple(ClipEdit(source=source, in_frame=0, out_frame=1) for source in sources),
        size=OutputSize(width=size[0], height=size[1]) if size else None,
        rate=FrameRate(num=rate[0], den=rate[1]) if rate else None,
        style=draw(_styles()),
    )
    out = Fraction(*rate) if rate else source_rate(probes[sources[0]])
    result = output_size(blank, probes)
    clips = tuple(draw(_clips(source, probes[source], result, out, limits)) for source in sources)
    joined = blank.model_copy(update={"clips": clips})
    joined = joined.model_copy(update={"transition": draw(_transitions(joined, probes))})
    return joined.model_copy(update={"regions": draw(_regions(duration(joined, *probes).frame_count))})


@st.composite
def _clips(draw: st.DrawFn, source: int, facts: ProbeInfo, result: Size, rate: Fraction, limits: Limits) -> ClipEdit:
    least = ceil(source_rate(facts) / rate * FASTEST_PERCENT / 100)
    count = draw(st.integers(least, max(least, min(limits.frames, facts.frame_count))))
    start = draw(st.integers(0, facts.frame_count - count))
    return ClipEdit(
        source=source,
        in_frame=start,
        out_frame=start + count,
        crop_keyframes=draw(_tracks(count, facts, result)) if limits.crops else (),
        crop_smoothing=draw(st.sampled_from((0.0, 0.0, 0.3, 0.9, 1.0))),
        retime=draw(st.none() | _retimes(count)),
        trim=draw(st.none() | _trims(count, least)),
        audio=draw(st.booleans()),
        caption=draw(st.none() | _captions()) if limits.captions else None,
    )


@st.composite
def _tracks(draw: st.DrawFn, count: int, facts: ProbeInfo, result: Size) -> tuple[CropKeyframe, ...]:
    """Rectangles of the result's ratio inside the source's picture."""
    widest = min(float(facts.width), facts.height * result.ratio)
    narrowest = max(SMALLEST_CROP, SMALLEST_CROP * result.ratio)
    track = []
    for frame in sorted(draw(st.sets(st.integers(0, count - 1), max_size=6))):
        width = draw(st.floats(narrowest, widest))
        height = width / result.ratio
        x, y = draw(st.floats(0, 1)) * (facts.width - width), draw(st.floats(0, 1)) * (facts.height - height)
        track.append(CropKeyframe(frame=frame, x=x, y=y, width=width, height=height, easing=draw(EASINGS)))
    return tuple(track)


@st.composite
def _retimes(draw: st.DrawFn, count: int) -> Retime:
    inner = draw(st.sets(st.integers(1, count - 1), max_size=6)) if count > 1 else set()
    percent = st.sampled_from((SLOWEST_PERCENT, 50, 100, 100, 200, FASTEST_PERCENT))
    anything = st.integers(SLOWEST_PERCENT, FASTEST_PERCENT)
    speeds = [draw(percent | anything) for _ in range(len(inner) + 1)]
    return Retime(boundaries=(0, *sorted(inner), count), speeds_percent=tuple(speeds))


@st.composite
def _trims(draw: st.DrawFn, count: int, least: int) -> Trim:
    start = draw(st.integers(0, count - least))
    return Trim(in_frame=start, out_frame=draw(st.integers(start + least, count)))


@st.composite
def _transitions(draw: st.DrawFn, spec: EditSpec, probes: Sequence[ProbeInfo]) -> Transition:
    """Two on one clip do not meet."""
    kind: TransitionKind = draw(st.sampled_from(("cut", "fade", "dissolve")))
    shortest = min(placement.count for placement in timeline(spec, probes))
    most = min(240, shortest // 2 if kind == "dissolve" else shortest)
    if kind == "cut" or most == 0:
        return Transition()
    return Transition(kind=kind, frames=draw(st.integers(1, most)))


@st.composite
def _regions(draw: st.DrawFn, frames: int) -> tuple[HighlightRegion, ...]:
    """Apart or side by side, in any order."""
    edges = sorted(draw(st.sets(st.integers(0, frames), max_size=6)))
    regions = [draw(_region(start, end)) for start, end in zip(edges[::2], edges[1::2], strict=False)]
    return tuple(draw(st.permutations(regions)))


@st.composite
def _region(draw: st.DrawFn, start: int, end: int) -> HighlightRegion:
    at = sorted(draw(st.sets(st.integers(start, end - 1), min_size=1, max_size=4)))
    return HighlightRegion(
        in_frame=start,
        out_frame=end,
        enabled=draw(st.booleans()),
        fade_frames=draw(st.integers(0, 20)),
        keyframes=tuple(
            EllipseKeyframe(
                frame=frame,
                x=draw(st.floats(-500, 2500)),
                y=draw(st.floats(-500, 2500)),
                radius_x=draw(st.floats(2, 300)),
                radius_y=draw(st.floats(2, 300)),
                color=draw(st.sampled_from(("#ffd400", "#00aaff", "#ffffff"))),
                stroke_opacity=draw(st.floats(0, 1)),
                fill_opacity=draw(st.floats(0, 1)),
                easing=draw(EASINGS),
            )
            for frame in at
        ),
    )


@st.composite
def _captions(draw: st.DrawFn) -> Caption:
    return Caption(
        rating=draw(st.none() | st.integers(1, 5)),
        tags=tuple(draw(st.lists(st.sampled_from(("goal", "pass", "Tor!")), max_size=3))),
        notes=draw(st.sampled_from(("", "Left foot, far corner."))),
    )


@st.composite
def _styles(draw: st.DrawFn) -> HighlightStyle:
    return HighlightStyle(
        effect=draw(st.sampled_from(("spotlight", "brighten"))),
        strength=draw(st.floats(0, 1)),
        softness=draw(st.floats(0, 1)),
        ring_width=draw(st.floats(0, 0.5)),
    )

"""Whatever is asked for, the file has exactly the frames of the plan: none repeated, left out or lost."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu.plan import RenderPlan, compile_plan, duration
from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.spec import ClipEdit, EditSpec, FrameRate, Retime, Transition, Trim
from gpu.render import gates
from gpu.render.produce import probe_file, produce
from gpu.render.sources import LocalSources
from gpu.sample.counter import read_counter
from tests.gpu.render.videos import SIZE, read_lumas

SPECS = 200
FRAMES = {0: 120, 1: 90}
"""Of the two recordings."""
RATES = st.sampled_from([None, None, FrameRate(num=25), FrameRate(num=60), FrameRate(num=30000, den=1001)])
SPEEDS = st.sampled_from([25, 33, 50, 90, 100, 110, 150, 200, 400])


@st.composite
def clips(draw: st.DrawFn) -> ClipEdit:
    source = draw(st.sampled_from(sorted(FRAMES)))
    start = draw(st.integers(0, FRAMES[source] - 12))
    count = draw(st.integers(12, min(40, FRAMES[source] - start)))
    trim = None
    if draw(st.booleans()):
        first = draw(st.integers(0, count - 10))
        trim = Trim(in_frame=first, out_frame=draw(st.integers(first + 10, count)))
    retime = None
    if draw(st.booleans()):
        edges = sorted({0, count, *draw(st.lists(st.integers(1, count - 1), max_size=3))})
        retime = Retime(boundaries=tuple(edges), speeds_percent=tuple(draw(SPEEDS) for _ in pairwise(edges)))
    audio = draw(st.booleans())
    return ClipEdit(source=source, in_frame=start, out_frame=start + count, trim=trim, retime=retime, audio=audio)


@st.composite
def specs(draw: st.DrawFn) -> EditSpec:
    transition = draw(
        st.sampled_from([Transition(), Transition(kind="fade", frames=2), Transition(kind="dissolve", frames=1)])
    )
    return EditSpec(
        clips=tuple(draw(st.lists(clips(), min_size=1, max_size=3))), transition=transition, rate=draw(RATES)
    )


def whole_pictures(plan: RenderPlan) -> dict[int, int]:
    """The source frame of each output frame on which one clip alone is seen, at full strength."""
    shown: dict[int, list[int]] = {}
    faint: set[int] = set()
    for clip in plan.clips:
        for number, frame, opacity in zip(range(clip.first, clip.end), clip.source_frames, clip.opacities, strict=True):
            shown.setdefault(number, []).append(frame)
            if opacity < 1:
                faint.add(number)
    assert sorted(shown) == list(range(plan.frame_count))
    return {number: frames[0] for number, frames in shown.items() if len(frames) == 1 and number not in faint}


@pytest.mark.timeout(1800)  # for a hang: two hundred renders took 235 s on a busy machine
@settings(
    derandomize=True, deadline=None, max_examples=SPECS, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(specs())
def test_frames_and_duration_are_exact(match: Path, ntsc: Path, tmp_path: Path, spec: EditSpec) -> None:
    sources, out = [match, ntsc], tmp_path / "out.mp4"
    probes = []
    for source in sources:
        with source.open("rb") as file:
            probes.append(probe_file(file))
    plan, length = compile_plan(spec, *probes), duration(spec, *probes)
    result = produce(LocalSources(sources), "concat", spec, out, lambda progress: None)
    lumas = read_lumas(out)
    assert len(lumas) == length.frame_count == result.frame_count
    assert result.duration_ms == length.duration_ms
    for number, frame in whole_pictures(plan).items():
        assert read_counter(lumas[number], SIZE, None) == frame
    if plan.sample_count is not None:
        seconds = gates.measure(out).audio_seconds
        assert seconds == pytest.approx(length.sample_count / SAMPLE_RATE, abs=1 / SAMPLE_RATE)

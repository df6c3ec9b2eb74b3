"""A flash and a click on one frame of the source stay together at every speed and rate.

Three times are compared: when the frame is due, the interval's frames of the source laid evenly over its whole frames
of the result, which picture and sound both follow; when the first frame of the result that shows it begins, at most
half a frame of the result from that, because pictures come on the grid; and when the click is heard. Sound is held to
what is due, and to the shown frame by the gate of 25 ms.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan import RenderPlan, compile_plan
from gpu.plan.duration import SAMPLE_RATE, sample_at
from gpu.plan.render_plan import SoundPiece, SoundRange
from gpu.plan.spec import ClipEdit, EditSpec, ProbeInfo, Retime
from gpu.plan.timeline import timeline
from tests.gpu.render.test_stretch import (
    CLICK,
    HEARD_LIMIT_SECONDS,
    SEED,
    SYNC_LIMIT_SECONDS,
    Track,
    murmur,
    onsets,
    place_in_result,
    played,
)

SLOW = (25, 27, 31, 33, 37, 40, 45, 50, 55, 60, 67, 70, 75, 80, 90, 95, 99)
SPEEDS = (*SLOW, 100, 101, 110, 125, 133, 150, 170, 200, 250, 300, 333, 400)
RATES = (Fraction(30), Fraction(30_000, 1001), Fraction(60), Fraction(24))
START = 7
CLAP = (np.random.default_rng(SEED).normal(0, 0.4, 96) * np.exp(-np.arange(96) / 60)).astype(np.float32)


def plan_at(rate: Fraction, percents: Sequence[int], frames: int) -> tuple[EditSpec, RenderPlan, ProbeInfo]:
    """A clip from frame `START` on with `frames` frames at each speed, and more of the source behind it."""
    count = frames * len(percents)
    probe = ProbeInfo(
        width=320,
        height=180,
        rotation=0,
        fps_num=rate.numerator,
        fps_den=rate.denominator,
        frame_count=START + count + 120,
        duration_ms=1000,
        video_codec="h264",
        pixel_format="yuv420p",
        audio_codec="aac",
    )
    retime = Retime(boundaries=tuple(range(0, count + 1, frames)), speeds_percent=tuple(percents))
    spec = EditSpec(clips=(ClipEdit(source=0, in_frame=START, out_frame=START + count, retime=retime),))
    return spec, compile_plan(spec, probe), probe


def pieces_of(plan: RenderPlan) -> Sequence[SoundPiece]:
    sound = plan.clips[0].sound
    assert sound is not None
    return sound.pieces


def clicks_on(frames: Sequence[int], rate: Fraction, seconds: float, seed: int) -> Track:
    track = murmur(seconds, seed)
    for frame in frames:
        start = sample_at(frame, rate)
        track[start : start + CLICK.size] += CLICK
    return track


def due(frame: int, spec: EditSpec, probe: ProbeInfo, rate: Fraction) -> float:
    """Seconds of the result."""
    for span in timeline(spec, [probe])[0].spans:
        if span.clip_frame <= frame - START < span.clip_frame + span.clip_count:
            return float(
                (span.first + Fraction((frame - START - span.clip_frame) * span.count, span.clip_count)) / rate
            )
    raise ValueError(f"frame {frame} is not in the clip")


def shown(frame: int, plan: RenderPlan) -> float:
    """Seconds at which the first frame of the result begins that shows this one, or a later one where it is skipped."""
    return float(int(np.argmax(np.array(plan.clips[0].source_frames) >= frame)) / plan.rate)


def assert_in_sync(
    spec: EditSpec, plan: RenderPlan, probe: ProbeInfo, frames: Sequence[int], sound: npt.NDArray[np.float32]
) -> None:
    """Each of the frames has its click, once."""
    times, heard = [due(frame, spec, probe, plan.rate) for frame in frames], onsets(sound)
    assert len(heard) == len(frames)
    assert heard == pytest.approx(times, abs=HEARD_LIMIT_SECONDS)
    seen = [shown(frame, plan) for frame in frames]
    assert seen == pytest.approx(times, abs=float(1 / plan.rate / 2) + 1e-9)
    assert heard == pytest.approx(seen, abs=SYNC_LIMIT_SECONDS)
    for time in times:
        around = sound[max(0, round((time - 0.08) * SAMPLE_RATE)) : round((time + 0.08) * SAMPLE_RATE)]
        assert np.square(around).sum() / np.square(CLICK).sum() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("rate", RATES, ids=["30", "29.97", "60", "24"])
@pytest.mark.parametrize("percent", SPEEDS)
def test_click_and_flash_come_together_at_every_speed(percent: int, rate: Fraction) -> None:
    generator = np.random.default_rng((SEED, percent))
    apart = max(0.2, 0.2 * percent / 100) + 0.1
    frames = [
        START + round((number + 0.5) * apart * rate) + int(generator.integers(0, round(rate / 10)))
        for number in range(4)
    ]
    spec, plan, probe = plan_at(rate, [percent], frames[-1] + round(rate / 6))
    track = clicks_on(frames, rate, float(frames[-1] / rate) + 3, SEED)
    sound = played(track, pieces_of(plan))[0]
    assert sound.size == plan.sample_count
    assert_in_sync(spec, plan, probe, frames, sound)


@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
def test_twenty_speeds_after_each_other_stay_together(seed: int) -> None:
    """Clicks are within 4 ms in the last segment as in the first, on seams as elsewhere."""
    generator = np.random.default_rng(seed)
    rate, length = RATES[seed % len(RATES)], 16
    percents = [int(percent) for percent in generator.permutation([*generator.integers(25, 401, 18), 100, 31])]
    spec, plan, probe = plan_at(rate, percents, length)
    frames = [START + length * number + int(generator.integers(0, length)) for number in range(20)]
    times = np.array([due(frame, spec, probe, plan.rate) for frame in frames])
    frames = [frame for frame, gap in zip(frames, np.diff(times, prepend=-1), strict=True) if gap > 0.1]
    track = clicks_on(frames, rate, float(20 * length / rate) + 3, seed)
    sound = played(track, pieces_of(plan))[0]
    assert sound.size == plan.sample_count, percents
    heard = onsets(sound)
    for frame in frames:
        time = due(frame, spec, probe, plan.rate)
        assert np.abs(heard - time).min() <= HEARD_LIMIT_SECONDS, (percents, frame)
        assert np.abs(heard - shown(frame, plan)).min() <= SYNC_LIMIT_SECONDS, (percents, frame)


@pytest.mark.parametrize("percent", [25, 31, 50, 75, 125, 200, 400])
def test_every_clap_of_an_applause_is_heard_once(percent: int) -> None:
    """They are at least 24 ms apart, in the source and in the result."""
    generator = np.random.default_rng((SEED, percent))
    apart = 0.024 * max(1, percent / 100)
    places = 3000 + np.cumsum((apart + generator.exponential(0.02, 40)) * SAMPLE_RATE).astype(int)
    length = int(places[-1]) + 5000
    track = murmur(length / SAMPLE_RATE + 1)
    for place in places:
        track[place : place + CLAP.size] += CLAP
    count = round(length * 100 / percent)
    sound = played(track, [SoundPiece(SoundRange(0, length), count)])[0]
    likeness = np.correlate(sound, CLAP, "valid") / np.square(CLAP).sum()
    found = np.flatnonzero((likeness > 0.6) & (likeness == highest_around(likeness, 60)))
    assert found.size == places.size
    assert found / SAMPLE_RATE == pytest.approx(places * count / length / SAMPLE_RATE, abs=HEARD_LIMIT_SECONDS)


def highest_around(values: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    padded = np.pad(values, reach, constant_values=-np.inf)
    highest: npt.NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return highest


@pytest.mark.parametrize("percent", [25, 33, 60, 90, 130, 400])
@pytest.mark.parametrize("place", [0, 480, 1000, 23_970, 24_000, 24_030])
def test_a_click_beside_an_edge_of_a_range_is_in_its_place(percent: int, place: int) -> None:
    """Where the clip begins, and where its own speed begins at sample 24,000."""
    retimed = round(24_000 * 100 / percent)
    pieces = [SoundPiece(SoundRange(0, 24_000), retimed), SoundPiece(SoundRange(24_000, 24_000), 24_000)]
    assert clicks_heard(place, pieces) == pytest.approx([place_in_result(place, pieces)], abs=HEARD_LIMIT_SECONDS)


@pytest.mark.parametrize("percent", [25, 33, 60, 90, 130, 400])
@pytest.mark.parametrize("place", [23_970, 24_000, 24_030, 47_600])
def test_a_click_near_the_end_of_a_clip_is_in_its_place(percent: int, place: int) -> None:
    pieces = [
        SoundPiece(SoundRange(0, 24_000), 24_000),
        SoundPiece(SoundRange(24_000, 24_000), round(24_000 * 100 / percent)),
    ]
    assert clicks_heard(place, pieces) == pytest.approx([place_in_result(place, pieces)], abs=HEARD_LIMIT_SECONDS)


def clicks_heard(place: int, pieces: Sequence[SoundPiece]) -> npt.NDArray[np.float64]:
    track = murmur(2)
    track[place : place + CLICK.size] += CLICK
    return onsets(played(track, pieces)[0])


@pytest.mark.parametrize("percent", [25, 70, 150, 400])
def test_sound_at_its_own_speed_after_another_one_is_a_copy_in_its_place(percent: int) -> None:
    """Steady sound keeps what it is off at the seam; a click puts it right."""
    track = murmur(4)
    track[SAMPLE_RATE * 5 // 2 : SAMPLE_RATE * 5 // 2 + CLICK.size] += CLICK
    stretched = round(SAMPLE_RATE * 100 / percent)
    pieces = [
        SoundPiece(SoundRange(0, SAMPLE_RATE), stretched),
        SoundPiece(SoundRange(SAMPLE_RATE, 2 * SAMPLE_RATE), 2 * SAMPLE_RATE),
    ]
    sound = played(track, pieces)[0][stretched:]
    wanted = track[SAMPLE_RATE : 3 * SAMPLE_RATE]
    for part, limit in ((slice(24_000, 60_000), 0.004), (slice(75_000, 90_000), 0.001)):
        off = range(-240, 241)
        best = [one for one in off if np.array_equal(sound[part], wanted[part.start + one : part.stop + one])]
        assert len(best) == 1
        assert abs(best[0]) <= limit * SAMPLE_RATE


@pytest.mark.parametrize("place", range(23_600, 24_000, 50))
def test_a_click_at_the_very_end_of_a_slow_clip_leaves_no_gap_behind_it(place: int) -> None:
    track = murmur(0.5)
    track[place : place + CLICK.size] += CLICK[: 24_000 - place]
    sound = played(track, [SoundPiece(SoundRange(0, 24_000), 96_000)])[0]
    assert np.abs(sound[-2000:]).reshape(-1, 50).max(axis=1).min() > 0.001

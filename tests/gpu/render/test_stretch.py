"""Sound that is played faster or slower keeps its pitch, its level and its places."""

import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.render_plan import SoundPiece, SoundRange
from gpu.render.reader import Samples
from gpu.render.stretch import reach, stretched

SAMPLE_RATE = 48_000
SYNC_LIMIT_SECONDS = 0.025
HEARD_LIMIT_SECONDS = 0.004
"""For what gets loud suddenly."""
SEED = 20261122
SPEEDS = (25, 30, 40, 50, 67, 75, 90, 99, 101, 110, 125, 150, 200, 250, 300, 400)
Track = npt.NDArray[np.float32]


def tone(hertz: float, seconds: float) -> Track:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def murmur(seconds: float, seed: int = SEED) -> Track:
    return np.random.default_rng(seed).normal(0, 0.005, round(seconds * SAMPLE_RATE)).astype(np.float32)


def at_once(percents: Sequence[int], source_samples: int, first: int = 0) -> list[SoundPiece]:
    """Pieces of `source_samples` each, one after the other, at these speeds."""
    return [
        SoundPiece(SoundRange(first + number * source_samples, source_samples), round(source_samples * 100 / percent))
        for number, percent in enumerate(percents)
    ]


def blocks(track: Track, pieces: Sequence[SoundPiece], length: int = 1024) -> Iterator[Samples]:
    """The part of the track that the pieces reach, of which both channels are equal."""
    wanted = reach(pieces)
    before = np.zeros(max(0, -wanted.start_sample), np.float32)
    whole = np.concatenate((before, track[max(0, wanted.start_sample) :]))[: wanted.sample_count]
    for start in range(0, whole.size, length):
        yield np.broadcast_to(whole[start : start + length], (2, whole[start : start + length].size))


def played(track: Track, pieces: Sequence[SoundPiece], length: int = 1024) -> Samples:
    return np.concatenate(list(stretched(pieces, blocks(track, pieces, length))), axis=1)


def place_in_result(sample: int, pieces: Sequence[SoundPiece]) -> float:
    """Seconds at which a sample of the source is due in the result."""
    done = 0
    for piece in pieces:
        inside = sample - piece.source.start_sample
        if 0 <= inside < piece.source.sample_count:
            return (done + inside * piece.count / piece.source.sample_count) / SAMPLE_RATE
        done += piece.count
    raise ValueError(f"sample {sample} is in no piece")


def onsets(sound: npt.NDArray[Any], threshold: float = 0.15) -> npt.NDArray[np.float64]:
    """Seconds at which it gets loud after 60 ms without."""
    loud = np.flatnonzero(np.abs(sound) > threshold)
    return loud[np.diff(loud, prepend=-SAMPLE_RATE) > 0.06 * SAMPLE_RATE] / SAMPLE_RATE


CLICK = np.where(np.arange(48) % 16 < 8, 0.8, -0.8).astype(np.float32)
NOISE_BURST = np.random.default_rng(SEED).normal(0, 0.6, 480).astype(np.float32)
WHISTLE = tone(3000, 0.1)
DRUM = tone(150, 0.1)


@pytest.mark.parametrize("percent", SPEEDS)
@pytest.mark.parametrize("sign", [CLICK, NOISE_BURST, WHISTLE, DRUM], ids=["click", "burst", "whistle", "drum"])
def test_every_sign_is_heard_at_its_place(percent: int, sign: Track) -> None:
    track, signs = murmur(6), [round(number * SAMPLE_RATE * 1.007) + 7000 for number in range(5)]
    for start in signs:
        track[start : start + sign.size] += sign
    pieces = at_once([percent], 6 * SAMPLE_RATE)
    heard = onsets(played(track, pieces)[0])
    due = [place_in_result(start, pieces) for start in signs]
    assert len(heard) == len(due)
    assert np.abs(heard - due).max() <= HEARD_LIMIT_SECONDS


@pytest.mark.parametrize("seed", range(SEED, SEED + 6))
def test_twenty_speeds_after_each_other_do_not_drift(seed: int) -> None:
    generator = np.random.default_rng(seed)
    percents = [int(generator.integers(25, 401)) for _ in range(20)]
    pieces = at_once(percents, SAMPLE_RATE // 2, first=SAMPLE_RATE)
    signs = [SAMPLE_RATE + number * SAMPLE_RATE // 2 + int(generator.integers(2000, 15_000)) for number in range(20)]
    track = murmur(13, seed)
    for start in signs:
        track[start : start + WHISTLE.size // 4] += WHISTLE[: WHISTLE.size // 4]
    result = played(track, pieces)[0]
    assert result.size == sum(piece.count for piece in pieces)
    heard, due = onsets(result), np.array([place_in_result(start, pieces) for start in signs])
    assert [float(np.abs(heard - one).min()) for one in due] == pytest.approx([0] * 20, abs=HEARD_LIMIT_SECONDS), (
        percents
    )


@pytest.mark.parametrize("percent", SPEEDS)
def test_what_gets_loud_slowly_is_heard_near_its_place(percent: int) -> None:
    """A tone that takes 40 ms to its full level; it is half as loud when that is due."""
    track, starts = murmur(6), [round(number * SAMPLE_RATE * 1.007) + 7000 for number in range(5)]
    attack = np.minimum(1, np.arange(14_400) / 1920).astype(np.float32)
    for start in starts:
        track[start : start + attack.size] += tone(800, 0.3) * attack
    pieces = at_once([percent], 6 * SAMPLE_RATE)
    heard = onsets(played(track, pieces)[0], 0.25)
    due = [place_in_result(start + 960, pieces) for start in starts]
    assert heard == pytest.approx(due, abs=SYNC_LIMIT_SECONDS)


@pytest.mark.parametrize("percent", SPEEDS)
@pytest.mark.parametrize("hertz", [220, 440, 3000])
def test_a_tone_keeps_its_pitch_its_level_and_its_purity(percent: int, hertz: int) -> None:
    result = played(tone(hertz, 4 * percent / 100 + 1), at_once([percent], round(3 * SAMPLE_RATE * percent / 100)))
    middle = result[0, SAMPLE_RATE // 2 : SAMPLE_RATE // 2 + 2 * SAMPLE_RATE]
    power = np.abs(np.fft.rfft(middle * np.hanning(middle.size))) ** 2
    near = slice(2 * hertz - 12, 2 * hertz + 13)
    assert int(power.argmax()) == pytest.approx(2 * hertz, abs=1)
    assert 10 * np.log10(power[near].sum() / (power.sum() - power[near].sum())) > 30
    assert np.sqrt(2 * (middle**2).mean()) == pytest.approx(0.5, rel=0.03)


def test_a_range_at_its_own_speed_is_a_copy() -> None:
    track = murmur(3)
    assert np.array_equal(played(track, [SoundPiece(SoundRange(4801, 96_000), 96_000)])[1], track[4801 : 4801 + 96_000])


@pytest.mark.parametrize("difference", [-400, -2, -1])
def test_a_range_that_rounding_made_shorter_is_cut(difference: int) -> None:
    track, count = murmur(3), 96_000 + difference
    assert np.array_equal(played(track, [SoundPiece(SoundRange(4801, 96_000), count)])[0], track[4801 : 4801 + count])


@pytest.mark.parametrize("difference", [1, 2])
def test_a_range_that_rounding_made_longer_ends_in_silence(difference: int) -> None:
    track = murmur(3)
    result = played(track, [SoundPiece(SoundRange(4801, 96_000), 96_000 + difference)])[0]
    assert np.array_equal(result, np.pad(track[4801 : 4801 + 96_000], (0, difference)))


def test_neighbouring_ranges_at_their_own_speed_are_one_copy() -> None:
    track = murmur(3)
    assert np.array_equal(played(track, at_once([100, 100, 100], 40_001, first=50))[0], track[50 : 50 + 3 * 40_001])


def test_there_is_no_click_between_ranges() -> None:
    track = tone(440, 12)
    result = played(track, at_once([100, 25, 400, 60, 100, 250, 99, 33], 40_000))
    assert np.abs(np.diff(result)).max() < 1.5 * np.abs(np.diff(track)).max()


def test_the_result_does_not_depend_on_how_the_sound_comes() -> None:
    track, pieces = tone(300, 8) + murmur(8), at_once([100, 25, 400, 60, 100, 250], 40_000)
    results = [played(track, pieces, length) for length in (1024, 7777, 400_000)]
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


@pytest.mark.parametrize("seed", range(SEED, SEED + 20))
def test_the_count_is_exact_for_any_ranges(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pieces, start = [], int(generator.integers(0, 9000))
    for _ in range(int(generator.integers(1, 9))):
        length = int(generator.integers(400, 20_000))
        count = max(1, round(length / generator.uniform(0.2, 5) + generator.integers(-2, 3)))
        pieces.append(SoundPiece(SoundRange(start, length), count))
        start += length + int(generator.integers(0, 2)) * int(generator.integers(0, 3000))
    result = played(murmur(2, seed), pieces)
    assert result.shape == (2, sum(piece.count for piece in pieces)), pieces
    assert np.isfinite(result).all()


def test_sound_that_is_lacking_is_silence() -> None:
    result = played(tone(440, 1), at_once([50], 2 * SAMPLE_RATE))
    assert np.abs(result[:, : 2 * SAMPLE_RATE - 4800]).max() > 0.4
    assert not result[:, 2 * SAMPLE_RATE + 4800 :].any()


@pytest.mark.parametrize("percent", SPEEDS)
def test_nothing_outside_the_ranges_is_heard(percent: int) -> None:
    track = np.ones(4 * SAMPLE_RATE, np.float32)
    track[SAMPLE_RATE : 3 * SAMPLE_RATE] = murmur(2)
    result = played(track, at_once([percent], 2 * SAMPLE_RATE, first=SAMPLE_RATE))
    assert np.abs(result).max() < 0.1
    assert np.abs(result[:, -2000:]).reshape(2, -1, 50).max(axis=2).min() > 0.001


def test_channels_stay_apart() -> None:
    pieces = at_once([60], 2 * SAMPLE_RATE)
    wanted = reach(pieces)
    left = np.concatenate((np.zeros(-wanted.start_sample, np.float32), tone(440, 3)))
    result = np.concatenate(list(stretched(pieces, iter([np.stack((left, np.zeros_like(left)))]))), axis=1)
    assert np.abs(result[0]).max() > 0.4
    assert not result[1].any()


def test_a_range_may_begin_before_the_one_before_it_ends() -> None:
    """A range at its own speed is as long as its frames of the result, rounded."""
    track = tone(440, 6)
    pieces = [
        SoundPiece(SoundRange(0, 100_000), 100_000),
        SoundPiece(SoundRange(20_000, 100_000), 200_000),
        SoundPiece(SoundRange(120_000, 70_000), 70_000),
    ]
    result = played(track, pieces)
    assert result.shape == (2, 370_000)
    assert np.abs(result).reshape(2, -1, 1000).max(axis=2).min() > 0.45


def test_ranges_that_go_back_are_refused() -> None:
    pieces = [SoundPiece(SoundRange(1000, 500), 500), SoundPiece(SoundRange(900, 500), 500)]
    with pytest.raises(ValueError, match="sound from 900 on comes after that from 1000 on"):
        list(stretched(pieces, iter(())))


@pytest.mark.parametrize("percent", [25, 400])
def test_a_long_range_is_never_held_whole(percent: int) -> None:
    """A minute is 23 MB, twelve seconds 4.6 MB."""
    seconds = 60 if percent > 100 else 12
    pieces = at_once([percent], seconds * SAMPLE_RATE)
    block = np.broadcast_to(tone(440, 0.1), (2, 4800))
    tracemalloc.start()
    try:
        total = sum(part.shape[1] for part in stretched(pieces, (block for _ in range(seconds * 10 + 3))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == pieces[0].count
    assert peak < 2_500_000


@pytest.mark.parametrize(("percent", "before"), [(25, 187), (110, 31), (150, 31)])
def test_a_sound_that_begins_just_before_the_end_does_not_cut_it(percent: int, before: int) -> None:
    """The right side is constant: it shows where silence from behind the end is read."""
    count = SAMPLE_RATE
    pieces = at_once([percent], count, 5000)
    source = np.zeros((2, reach(pieces).sample_count), np.float32)
    source[0] = murmur(source.shape[1] / SAMPLE_RATE)
    source[0, -before:] += 1.6 * tone(3000, before / SAMPLE_RATE)
    source[1] = 1
    result = np.concatenate(list(stretched(pieces, iter([source]))), axis=1)
    assert result[1].min() > 0.99

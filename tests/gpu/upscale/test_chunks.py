"""Chunks: all frames once, on keyframes, and even."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu.upscale.chunks import CHUNK_SECONDS, Chunk, cut, plan_chunks


@given(st.integers(1, 5000), st.integers(1, 300), st.integers(1, 40))
def test_chunks_cover_the_output_on_keyframes_and_are_even(frame_count: int, every: int, most: int) -> None:
    chunks = plan_chunks(frame_count, every, most)
    assert [frame for chunk in chunks for frame in range(*chunk)] == list(range(frame_count))
    assert all(chunk.in_frame % every == 0 for chunk in chunks)
    assert len(chunks) == min(most, -(-frame_count // every))
    lengths = [chunk.out_frame - chunk.in_frame for chunk in chunks]
    assert min(lengths) > 0
    assert max(lengths) - min(lengths[:-1], default=max(lengths)) <= every


def test_a_minute_in_four_chunks() -> None:
    assert plan_chunks(1800, 60, 4) == (Chunk(0, 420), Chunk(420, 900), Chunk(900, 1320), Chunk(1320, 1800))


def test_what_is_shorter_than_a_keyframe_distance_is_one_chunk() -> None:
    assert plan_chunks(59, 60, 4) == (Chunk(0, 59),)


@pytest.mark.parametrize("counts", [(0, 60, 4), (60, 0, 4), (60, 60, 0)])
def test_nothing_is_not_planned(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be planned"):
        plan_chunks(*counts)


RATES = [
    Fraction(1, 5),
    Fraction(5),
    Fraction(24000, 1001),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(60),
    Fraction(120),
]


@given(st.integers(1, 100_000), st.sampled_from(RATES))
def test_an_output_is_cut_into_chunks_of_about_twenty_seconds(frame_count: int, rate: Fraction) -> None:
    keyframes = 2
    chunks = cut(frame_count, rate, keyframes)
    assert [chunks[0].in_frame, chunks[-1].out_frame] == [0, frame_count]
    assert all(chunk.in_frame % max(1, round(keyframes * rate)) == 0 for chunk in chunks)
    assert max(chunk.out_frame - chunk.in_frame for chunk in chunks) <= (CHUNK_SECONDS + keyframes) * rate + 1


def test_a_minute_is_three_chunks_and_twenty_seconds_are_one() -> None:
    assert cut(1800, Fraction(30), 2) == (Chunk(0, 600), Chunk(600, 1200), Chunk(1200, 1800))
    assert cut(600, Fraction(30), 2) == (Chunk(0, 600),)
    assert cut(601, Fraction(30), 2) == (Chunk(0, 300), Chunk(300, 601))

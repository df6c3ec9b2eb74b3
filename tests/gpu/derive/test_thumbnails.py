"""Which picture stands for which frame."""

from collections.abc import Iterator

import pytest

from gpu.derive.thumbnails import choices, nearest_pictures
from gpu.render.reader import Picture


def pictures(numbers: list[int]) -> Iterator[Picture]:
    for number in numbers:
        yield Picture(number, None)  # type: ignore[arg-type]  # only the numbers count here


@pytest.mark.parametrize(
    ("keyframes", "expected"),
    [
        ([0, 25, 50, 75, 100], [0, 25, 50, 100]),
        ([0, 28, 33, 61, 89, 90], [0, 28, 61, 90]),
        ([0, 100], [0, None, None, 100]),
        ([0], [0, None, None, None]),
        ([0, 15, 45, 75], [0, 15, 45, 75]),
        ([], [None, None, None, None]),
    ],
)
def test_the_nearest_keyframe_within_reach_is_chosen(keyframes: list[int], expected: list[int | None]) -> None:
    assert [choice.keyframe for choice in choices([0, 30, 60, 90], keyframes, 15)] == expected


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0, 25, 50, 75, 100, 125], [0, 25, 50, 100]),
        ([0, 20, 40, 89, 200], [0, 20, 40, 89]),
        ([3], [3, 3, 3, 3]),
        (list(range(200)), [0, 30, 60, 90]),
        ([0, 300], [0, 0, 0, 0]),
    ],
)
def test_the_nearest_of_passing_pictures_is_taken(numbers: list[int], expected: list[int]) -> None:
    assert [picture.number for picture in nearest_pictures(pictures(numbers), [0, 30, 60, 90])] == expected


def test_nothing_is_read_beyond_what_settles_the_last_one() -> None:
    passing = pictures([0, 5, 12, 30])
    assert [picture.number for picture in nearest_pictures(passing, [0, 6])] == [0, 5]
    assert next(passing).number == 30

"""What every tracker keeps to: the reference, and ByteTrack where its package is installed."""

import random
import sys
from collections.abc import Callable, Sequence

import pytest

from gpu.track.detections import Box, Detection
from gpu.track.tracker import NewTracker, Tracker

RATE = 30.0


def _overlap(rate: float) -> Tracker:
    from gpu.track.association import OverlapTracker

    return OverlapTracker(rate)


def _bytetrack(rate: float) -> Tracker:
    pytest.importorskip("trackers", reason="ByteTrack's package is only on images for networks")
    from gpu.track.bytetrack import ByteTracker

    return ByteTracker(rate)


@pytest.fixture(params=[_overlap, _bytetrack], ids=["overlap", "bytetrack"])
def new_tracker(request: pytest.FixtureRequest) -> NewTracker:
    make: NewTracker = request.param
    return make


def person(x: float, y: float, score: float = 0.9, label: str = "person") -> Detection:
    return Detection(Box(x, y, 20, 40), score, label)


def run(tracker: Tracker, pictures: int, found: Callable[[int], Sequence[Detection]]) -> list[list[int | None]]:
    return [tracker.update(found(number)) for number in range(pictures)]


def test_two_who_walk_are_two_tracks_from_their_second_picture_on(new_tracker: NewTracker) -> None:
    numbers = run(new_tracker(RATE), 20, lambda n: [person(10 + 4 * n, 10), person(300 - 3 * n, 100)])
    assert len({tuple(each) for each in numbers[2:]}) == 1
    assert None not in numbers[2]
    assert len(set(numbers[2])) == 2


def test_two_who_cross_keep_their_tracks(new_tracker: NewTracker) -> None:
    """They run into each other at 6 pixels a picture; the second one's detection comes first after they met."""

    def found(number: int) -> list[Detection]:
        right, left = person(20 + 6 * number, 50), person(260 - 6 * number, 58)
        return [right, left] if number < 20 else [left, right]

    numbers = run(new_tracker(RATE), 40, found)
    assert None not in numbers[3]
    assert numbers[-1] == list(reversed(numbers[3]))


def test_one_who_is_not_seen_for_a_while_is_found_where_the_way_led(new_tracker: NewTracker) -> None:
    """12 pictures at 3 pixels are more than the width, so that only the speed can tell."""
    tracker = new_tracker(RATE)
    numbers = run(tracker, 40, lambda n: [] if 20 <= n < 32 else [person(10 + 3 * n, 10)])
    assert numbers[33] == numbers[19] != [None]


def test_after_a_second_without_being_seen_a_track_is_over(new_tracker: NewTracker) -> None:
    numbers = run(new_tracker(RATE), 90, lambda n: [] if 20 <= n < 60 else [person(50, 10)])
    assert numbers[19] != [None] != numbers[70]
    assert numbers[70] != numbers[19]


def test_the_patience_is_a_second_at_every_rate(new_tracker: NewTracker) -> None:
    seen_again = run(new_tracker(5.0), 20, lambda n: [] if 8 <= n < 11 else [person(50, 10)])
    assert seen_again[-1] == seen_again[7]
    too_late = run(new_tracker(5.0), 30, lambda n: [] if 8 <= n < 20 else [person(50, 10)])
    assert too_late[-1] != too_late[7]


def test_the_doubtful_carry_a_track_on_and_begin_none(new_tracker: NewTracker) -> None:
    tracker = new_tracker(RATE)
    numbers = run(tracker, 30, lambda n: [person(50, 10, 0.9 if n < 5 else 0.3), person(200, 10, 0.3)])
    assert [each[0] for each in numbers[2:]] == [numbers[2][0]] * 28
    assert numbers[2][0] is not None
    assert {each[1] for each in numbers} == {None}


def test_the_sure_are_matched_before_the_doubtful(new_tracker: NewTracker) -> None:
    """The doubtful box lies exactly on the track, the sure one beside it: the sure one is the player."""
    tracker = new_tracker(RATE)
    before = run(tracker, 10, lambda _: [person(50, 10)])
    after = tracker.update([person(50, 10, 0.3), person(55, 10)])
    assert after == [None, before[-1][0]]


def test_things_of_different_labels_are_never_one_track(new_tracker: NewTracker) -> None:
    numbers = run(new_tracker(RATE), 20, lambda n: [person(50, 10, label="person" if n < 10 else "ball")])
    assert numbers[9] != [None] != numbers[19]
    assert numbers[9] != numbers[19]


def test_things_of_different_labels_are_told_apart_in_any_order(new_tracker: NewTracker) -> None:
    ball, player = person(200, 10, label="ball"), person(50, 10)
    numbers = run(new_tracker(RATE), 20, lambda n: [ball, player] if n < 10 else [player, ball])
    assert None not in numbers[9]
    assert numbers[19] == list(reversed(numbers[9]))


def test_the_sure_begin_a_track_however_sure(new_tracker: NewTracker) -> None:
    numbers = run(new_tracker(RATE), 5, lambda _: [person(50, 10, 0.55)])
    assert numbers[-1] != [None]


def test_no_two_in_a_picture_share_a_track_and_no_number_comes_back(new_tracker: NewTracker) -> None:
    seed = random.randrange(1 << 30)
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    tracker = new_tracker(RATE)
    last_seen: dict[int, int] = {}
    for picture in range(150):
        found = [
            person(chance.uniform(0, 200), chance.uniform(0, 100), chance.uniform(0, 1))
            for _ in range(chance.randrange(9))
        ]
        numbers = tracker.update(found)
        given = [number for number in numbers if number is not None]
        assert len(numbers) == len(found)
        assert len(set(given)) == len(given)
        for number in given:
            assert picture - last_seen.get(number, picture) <= RATE + 1
            last_seen[number] = picture
    assert len(last_seen) > 10


def test_an_empty_picture_has_no_tracks(new_tracker: NewTracker) -> None:
    tracker = new_tracker(RATE)
    assert [tracker.update([]) for _ in range(3)] == [[], [], []]
    assert tracker.name

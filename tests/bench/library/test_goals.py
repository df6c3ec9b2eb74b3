"""A goal in absolute numbers is met or missed as a ratio, whatever the baseline is."""

import pytest

from bench.library.goals import above, within
from bench.library.weight import longest_run


@pytest.mark.parametrize("baseline", [1.0, 33.0, 5_000.0])
def test_a_goal_is_met_up_to_itself_and_missed_beyond(baseline: float) -> None:
    assert within("bytes", 64.0, "KB", baseline, 64.0).ok
    assert not within("bytes", 66.0, "KB", baseline, 64.0).ok


def test_an_allowance_counts_from_the_baseline() -> None:
    assert above("write", 36.0, "ms", 31.5, 5.0).ok
    assert not above("write", 36.7, "ms", 31.5, 5.0).ok


def test_a_run_of_records_begins_with_a_full_one() -> None:
    full, delta = b'{"kind":"full"}', b'{"kind":"delta"}'
    assert longest_run([full, full]) == 1
    assert longest_run([delta, full, delta, delta, full]) == 3
    assert longest_run([delta] * 70) == 70

"""Goals in bytes, milliseconds or requests, as limits of a ratio to a baseline of the same run."""

from bench.figure import Figure


def within(name: str, value: float, unit: str, baseline: float, goal: float) -> Figure:
    """`value` is at most `goal`, in the same unit; the baseline says what it is compared with."""
    return Figure(name, value, unit, baseline, limit=round(goal / baseline, 4), at_most=True)


def above(name: str, value: float, unit: str, baseline: float, allowance: float) -> Figure:
    """`value` is at most `allowance` above the baseline."""
    return within(name, value, unit, baseline, baseline + allowance)

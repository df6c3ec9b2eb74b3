"""What runs for every change, and what only the clock starts."""

from tests.workflows.workflow import read, runs

ON_PUSH = "${{ github.event_name != 'schedule' }}"
BY_THE_CLOCK = "${{ github.event_name == 'schedule' }}"


def test_coverage_is_measured_by_the_clock_and_nothing_else_is() -> None:
    ci = read("ci")
    assert len(ci.triggers["schedule"]) == 1
    conditions = {runs(job).strip(): job["if"] for job in ci.jobs.values()}
    assert conditions == {"make check": ON_PUSH, "make test": ON_PUSH, "make coverage": BY_THE_CLOCK}


def test_a_push_to_main_does_not_push_the_scheduled_run_out() -> None:
    assert "${{ github.event_name }}" in read("ci").document["concurrency"]["group"]

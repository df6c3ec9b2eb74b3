"""Standing cost of a stack, from the dated price table."""

import pytest

from infra.config import StackConfig
from infra.cost import machine_price, monthly_cost
from tests.infra.test_config import staging


def config(**changes: object) -> StackConfig:
    return StackConfig.parse("staging", staging(**changes))


def test_scale_to_zero_costs_only_the_stopped_disk() -> None:
    assert monthly_cost(config()) == pytest.approx(0.15)


def test_a_warm_machine_in_chicago_is_the_written_price() -> None:
    assert machine_price(config(flyRegion="ord", vmMemoryMb=1024)) == pytest.approx(5.70 * 1.25)


def test_memory_between_two_sizes_is_priced_by_the_gigabyte() -> None:
    between = machine_price(config(flyRegion="iad", vmMemoryMb=768))
    assert between == pytest.approx(3.19 + 0.25 * 5)


def test_more_machines_cost_more() -> None:
    one = monthly_cost(config(machines=1, minMachinesRunning=1))
    two = monthly_cost(config(machines=2, minMachinesRunning=2))
    assert two == pytest.approx(2 * one, abs=0.01)

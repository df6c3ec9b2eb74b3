"""What a stack costs in a month of 30 days, in USD, item by item, from one dated table of prices (prices.json).

An estimate before taxes and free credits. Not in it: traffic (R2's is free, Fly's is answers without video), machines
above `minMachinesRunning` while they are started, build minutes. docs/cost.md has the arithmetic.
"""

from typing import Protocol

from infra.cost.item import CostItem, table, total
from infra.cost.machines import Machines, machine_items, machine_price
from infra.cost.prices import UnpricedError
from infra.cost.usage import Usage, usage_items

__all__ = ["CostItem", "Priced", "UnpricedError", "cost_items", "machine_price", "monthly_cost", "table", "total"]


class Priced(Machines, Usage, Protocol):
    """What of a stack's configuration costs money: StackConfig has it all."""

    @property
    def environment(self) -> str: ...


def cost_items(config: Priced) -> list[CostItem]:
    """Nothing for the local stack."""
    if config.environment == "development":
        return []
    return [*machine_items(config), *usage_items(config)]


def monthly_cost(config: Priced) -> float:
    """USD a month, rounded to cents."""
    return total(cost_items(config))

"""One line of an estimate, and the estimate as a table."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class CostItem:
    """`quantity` of what costs `unit_usd` each, in a month of 30 days."""

    name: str
    quantity: float
    unit_usd: float
    source: str

    @property
    def usd(self) -> float:
        return self.quantity * self.unit_usd


def total(items: Iterable[CostItem]) -> float:
    """USD a month, rounded to cents."""
    return round(sum(item.usd for item in items), 2)


def table(items: Iterable[CostItem]) -> str:
    """The estimate as lines of text, the sum last; the sources are in prices.json."""
    lines = list(items)
    rows = [(item.name, f"{item.quantity:,.10g}", f"{item.unit_usd:,.7g}", f"{item.usd:.2f}") for item in lines]
    rows = [("a month of 30 days", "quantity", "USD each", "USD"), *rows, ("in all", "", "", f"{total(lines):.2f}")]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(row[column].rjust(widths[column]) for column in (1, 2, 3))])
        for row in rows
    )

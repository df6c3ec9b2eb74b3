"""What the exports and the stored videos cost: R2 above its free part, Modal's seconds, Pages."""

from collections.abc import Iterator
from typing import Protocol

from infra.cost.calls import GPU, call, upscale_usd
from infra.cost.item import CostItem
from infra.cost.networks import networks_are_built
from infra.cost.prices import Prices, Sourced, prices

MILLION = 1_000_000


class Usage(Protocol):
    """What happens in a month. `gpu_enabled` False renders on the backend's own machine."""

    @property
    def exports_per_month(self) -> int: ...
    @property
    def storage_gb(self) -> int: ...
    @property
    def gpu_enabled(self) -> bool: ...


def usage_items(usage: Usage) -> Iterator[CostItem]:
    table = prices()
    pages = table.prices["pages"]
    yield CostItem("Pages", 1, pages.usd, table.source(pages))
    yield from _r2_items(table, usage)
    if usage.gpu_enabled:
        yield from _modal_items(table, usage)


def _r2_items(table: Prices, usage: Usage) -> Iterator[CostItem]:
    storage = table.prices["r2_storage"]
    free_gb = table.amount("r2_free_storage_gb")
    paid_gb = max(0, usage.storage_gb - free_gb)
    yield CostItem(f"R2 storage above the free {free_gb:g} GB, GB", paid_gb, storage.usd, table.source(storage))
    for letter in ("a", "b"):
        price = table.prices[f"r2_class_{letter}"]
        made = usage.exports_per_month * table.amount(f"class_{letter}_per_export")
        paid = max(0, made - table.amount(f"r2_free_class_{letter}")) / MILLION
        yield CostItem(
            f"R2 class {letter.upper()} operations above the free ones, M", paid, price.usd, table.source(price)
        )


def _modal_items(table: Prices, usage: Usage) -> Iterator[CostItem]:
    """Calls on a GPU are lines only where the functions get one."""
    for function in ("render", "probe"):
        one = call(table, function)
        billed = usage.exports_per_month * one.seconds
        yield CostItem(
            f"Modal `{function}`, seconds ({one.seconds:g} an export)", billed, one.second_usd, table.source(one.price)
        )
    derived = call(table, "derive")
    yield _calls(table, usage, "derive", "`derive`, calls", derived.usd, derived.price)
    if networks_are_built():
        tracked = call(table, "track", GPU)
        yield _calls(table, usage, "track", f"`track` on {GPU}, calls", tracked.usd, tracked.price)
        yield _calls(table, usage, "upscale", f"`upscale` on {GPU}, clips", upscale_usd(table, GPU), tracked.price)


def _calls(table: Prices, usage: Usage, function: str, name: str, usd: float, price: Sourced) -> CostItem:
    made = usage.exports_per_month * table.amount(f"{function}_per_export")
    return CostItem(f"Modal {name}", made, usd, table.source(price))

"""What the exports and the stored videos cost: R2 above its free part, Modal's seconds, Pages."""

from collections.abc import Iterator
from typing import Protocol

from infra.cost.item import CostItem
from infra.cost.prices import Prices, prices

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
    """Modal bills what is reserved while a container lives: its start, its work, and the idle time before it ends.

    As if every export came alone: in a burst containers are shared and the idle time is paid once.
    """
    render_seconds = (
        table.amount("container_start_seconds")
        + table.amount("clip_seconds") * table.amount("render_seconds_per_clip_second")
        + table.amount("render_idle_seconds")
    )
    probe_seconds = (
        table.amount("container_start_seconds") + table.amount("probe_seconds") + table.amount("probe_idle_seconds")
    )
    for function, seconds in (("render", render_seconds), ("probe", probe_seconds)):
        core, memory = table.prices["modal_core"], table.prices["modal_memory"]
        second = table.amount(f"{function}_cores") * core.usd + table.amount(f"{function}_memory_gib") * memory.usd
        billed = usage.exports_per_month * seconds
        yield CostItem(f"Modal `{function}`, seconds ({seconds:g} an export)", billed, second, table.source(core))

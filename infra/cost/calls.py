"""What a call of a media function costs at Modal, which bills what a container reserves while it lives.

As if every call came alone: its container starts, works and idles for it. In a burst containers are shared and their
start and idle time are paid once.
"""

from dataclasses import dataclass

from infra.cost.prices import Prices, Sourced

GPU = "L4"
"""The first choice of the functions that have one."""


@dataclass(frozen=True)
class Call:
    """`seconds` of a container, at `second_usd` each."""

    seconds: float
    second_usd: float
    price: Sourced

    @property
    def usd(self) -> float:
        return self.seconds * self.second_usd


def call(table: Prices, function: str, gpu: str = "") -> Call:
    """One call with the amounts of its kind; `gpu` is the one that its container has."""
    price = table.prices[f"modal_{gpu.lower()}" if gpu else "modal_core"]
    second_usd = (
        table.amount(f"{function}_cores") * table.prices["modal_core"].usd
        + table.amount(f"{function}_memory_gib") * table.prices["modal_memory"].usd
        + (price.usd if gpu else 0)
    )
    start = table.amount("gpu_start_seconds" if gpu else "container_start_seconds")
    seconds = start + _work_seconds(table, function) + table.amount(f"{function}_idle_seconds")
    return Call(seconds, second_usd, price)


def upscale_usd(table: Prices, gpu: str) -> float:
    """A clip's: the call that cuts, waits and joins, and a container with a GPU for each chunk."""
    return call(table, "upscale").usd + table.amount("upscale_chunks") * call(table, "upscale_chunk", gpu).usd


def _work_seconds(table: Prices, function: str) -> float:
    if function == "render":
        return table.amount("clip_seconds") * table.amount("render_seconds_per_clip_second")
    return table.amount(f"{function}_seconds")

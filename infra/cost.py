"""What a stack costs while nobody uses it, in USD per 30 days, from one dated price table (prices.json).

Standing cost only: machines kept warm, and the root file systems (1 GB each) of those that are stopped. Usage (R2
storage, Modal seconds, traffic) comes on top and depends on the exports.
"""

from pydantic import BaseModel, ConfigDict

from infra.config import StackConfig
from infra.sources import ROOT


class Prices(BaseModel):
    """prices.json: USD per 30 days by preset and MB, and the region's factor on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: str
    source: str
    machine_usd_per_30_days: dict[str, dict[int, float]]
    extra_memory_usd_per_gb: float
    region_markup: dict[str, float]
    unknown_region_markup: float
    stopped_machine_usd_per_30_days: float


PRICES = Prices.model_validate_json((ROOT / "infra/prices.json").read_text())


def machine_price(config: StackConfig) -> float:
    """USD per 30 days of one machine that is always on; memory above a listed size is priced by the GB."""
    sizes = PRICES.machine_usd_per_30_days[f"{config.vm_cpu_kind}-{config.vm_cpus}"]
    listed = max((mb for mb in sizes if mb <= config.vm_memory_mb), default=min(sizes))
    extra_gb = max(0, config.vm_memory_mb - listed) / 1024
    markup = PRICES.region_markup.get(config.fly_region, PRICES.unknown_region_markup)
    return (sizes[listed] + extra_gb * PRICES.extra_memory_usd_per_gb) * markup


def monthly_cost(config: StackConfig) -> float:
    """USD per 30 days, rounded to cents. The local stack costs nothing."""
    if config.environment == "development":
        return 0.0
    stopped = config.machines - config.min_machines_running
    standing = config.min_machines_running * machine_price(config)
    return round(standing + stopped * PRICES.stopped_machine_usd_per_30_days, 2)

"""What the backend's machines cost: started by the size and the region, stopped by their disk."""

from collections.abc import Iterator
from typing import Protocol

from infra.cost.item import CostItem
from infra.cost.prices import prices

DEDICATED_ADDRESSES = 0
"""A deployment takes a shared IPv4 and an own IPv6, both free; no step asks for more."""


class Machine(Protocol):
    """A machine size in a region."""

    @property
    def vm_cpu_kind(self) -> str: ...
    @property
    def vm_cpus(self) -> int: ...
    @property
    def vm_memory_mb(self) -> int: ...
    @property
    def fly_region(self) -> str: ...


class Machines(Machine, Protocol):
    """How many of them exist and how many are always started."""

    @property
    def machines(self) -> int: ...
    @property
    def min_machines_running(self) -> int: ...


def machine_price(machine: Machine) -> float:
    """USD of one machine that is started for 30 days; memory above a listed size is priced by the GB."""
    table = prices()
    listed = table.listed_machine(f"{machine.vm_cpu_kind}-{machine.vm_cpus}", machine.vm_memory_mb)
    extra_gb = max(0, machine.vm_memory_mb - listed.memory_mb) / 1024
    return (listed.usd + extra_gb * table.prices["machine_memory"].usd) * table.region(machine.fly_region).factor


def machine_items(wanted: Machines) -> Iterator[CostItem]:
    table = prices()
    size = f"{wanted.vm_cpu_kind}-cpu-{wanted.vm_cpus}x {wanted.vm_memory_mb} MB in {wanted.fly_region}"
    warm = wanted.min_machines_running
    yield CostItem(f"machines always on: {size}", warm, machine_price(wanted), _machine_source(wanted))
    disk = table.prices["stopped_machine_disk"]
    stopped_gb = (wanted.machines - warm) * table.amount("machine_disk_gb")
    yield CostItem("disks of stopped machines, GB", stopped_gb, disk.usd, table.source(disk))
    address = table.prices["dedicated_ipv4"]
    yield CostItem("dedicated IPv4 addresses", DEDICATED_ADDRESSES, address.usd, table.source(address))


def _machine_source(machine: Machine) -> str:
    table = prices()
    listed = table.listed_machine(f"{machine.vm_cpu_kind}-{machine.vm_cpus}", machine.vm_memory_mb)
    region = table.region(machine.fly_region)
    sources = dict.fromkeys((table.source(listed), table.source(region)))
    return "; region: ".join(sources)

"""prices.json as a typed value: every price and every assumed amount names its source, and a source its day."""

from functools import cache

from pydantic import BaseModel, ConfigDict

from infra.sources import ROOT

FILE = ROOT / "infra" / "prices.json"


class UnpricedError(LookupError):
    """The table has no price for what is asked; the message says which ones it has."""


class Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Row):
    """`as_of`: the day that the figures are of; `checked`: when somebody last looked. Both YYYY-MM-DD."""

    as_of: str
    checked: str
    where: str

    def __str__(self) -> str:
        return f"{self.where} ({self.as_of})"


class Sourced(Row):
    source: str


class Price(Sourced):
    """USD for one `unit`."""

    usd: float
    unit: str


class MachinePrice(Price):
    """One machine that is started for 30 days, in a region of factor 1."""

    preset: str
    memory_mb: int


class Region(Sourced):
    """What a region multiplies machine prices by; `*` is every other region."""

    region: str
    factor: float


class Amount(Sourced):
    """A quantity that the estimate reckons with; the key has its unit."""

    value: float


class Prices(Row):
    sources: dict[str, Source]
    machines: tuple[MachinePrice, ...]
    regions: tuple[Region, ...]
    unlisted_region: Region
    prices: dict[str, Price]
    amounts: dict[str, Amount]

    def source(self, row: Sourced) -> str:
        return str(self.sources[row.source])

    def amount(self, name: str) -> float:
        return self.amounts[name].value

    def region(self, name: str) -> Region:
        return next((each for each in self.regions if each.region == name), self.unlisted_region)

    def listed_machine(self, preset: str, memory_mb: int) -> MachinePrice:
        """The largest listed size that is not above `memory_mb`, else the smallest; raises UnpricedError."""
        sizes = sorted(
            (each for each in self.machines if each.preset == preset), key=lambda each: each.memory_mb, reverse=True
        )
        if not sizes:
            known = ", ".join(dict.fromkeys(each.preset for each in self.machines))
            raise UnpricedError(f"{FILE.name} has no machine {preset!r}; it has {known}")
        return next((each for each in sizes if each.memory_mb <= memory_mb), sizes[-1])


@cache
def prices() -> Prices:
    return Prices.model_validate_json(FILE.read_text())

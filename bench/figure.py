"""One measured figure: its value, the baseline measured in the same run, and the limit of their ratio."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`at_most` says which side of `limit` the ratio `value / baseline` has to be on; both have the same `unit`."""

    name: str
    value: float
    unit: str
    baseline: float
    limit: float
    at_most: bool

    @property
    def ratio(self) -> float:
        return self.value / self.baseline

    @property
    def ok(self) -> bool:
        return self.ratio <= self.limit if self.at_most else self.ratio >= self.limit

    def line(self) -> str:
        """One JSON object: name, value, unit, baseline, ratio, limit, ok."""
        return json.dumps(
            {
                "name": self.name,
                "value": round(self.value, 3),
                "unit": self.unit,
                "baseline": round(self.baseline, 3),
                "ratio": round(self.ratio, 3),
                "limit": self.limit,
                "ok": self.ok,
            }
        )

"""A plan of faults: a seed and rules. Pure: the same plan says the same of the same sequence of calls.

    {"seed": 7, "rules": [
        {"service": "cloudflare", "call": "POST */tokens", "fault": "lost_response", "nth": 1},
        {"service": "r2", "call": "PUT *", "fault": "too_many", "probability": 0.1, "retry_after_s": 1},
        {"service": "modal", "call": "AppPublish", "fault": "server_error", "nth": 2, "times": 0}]}

`call` is a shell pattern on "METHOD /path", or on the name of a Modal RPC. A rule counts the calls that it matches:
`nth` is the first that meets the fault (1: the first), `times` how many in a row do (0: all from there on). With
`probability` each is drawn instead; with neither all do. The first rule that applies decides.
"""

import json
import random
from collections.abc import MutableMapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Service = Literal["r2", "cloudflare", "pages", "fly", "modal"]
Kind = Literal["latency", "lost_request", "lost_response", "too_many", "server_error", "expired_token", "killed"]


class PlanError(ValueError):
    """A plan that cannot be read; the message lists every mistake."""


class Fault(BaseModel):
    """What happens to one call. A latency comes before anything else; `killed` comes that long after the call.

    `lost_request`: the connection closes before the call is handled; `lost_response`: after it was.
    `killed`: the Fly machine that is to serve, or the Modal container that calls, dies; without a latency its call
    is never handled. Nothing else can be killed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: Kind
    latency_ms: int = Field(0, ge=0)
    retry_after_s: int = Field(1, ge=0)
    status: Literal[500, 502, 503, 504] = 500


class Rule(Fault):
    """`pages` are Cloudflare's calls below /pages/assets, which have a token of their own."""

    service: Service | Literal["*"] = "*"
    call: str = "*"
    nth: int | None = Field(None, ge=1)
    times: int = Field(1, ge=0)
    probability: float | None = Field(None, gt=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if self.nth is not None and self.probability is not None:
            raise ValueError("give nth or probability, not both")
        if self.fault == "latency" and not self.latency_ms:
            raise ValueError("latency needs latency_ms")
        return self

    def matches(self, service: Service, call: str) -> bool:
        return self.service in ("*", service) and fnmatchcase(call, self.call)

    def applies(self, occurrence: int, draw: float) -> bool:
        """To its n-th matching call; `draw` is from [0, 1)."""
        if self.probability is not None:
            return draw < self.probability
        if self.nth is None:
            return True
        return occurrence >= self.nth and (self.times == 0 or occurrence < self.nth + self.times)


class FaultPlan(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "FaultPlan":
        """Raises PlanError."""
        try:
            return cls.model_validate(json.loads(text))
        except json.JSONDecodeError as error:
            raise PlanError(f"the plan of faults is not JSON: {error}") from None
        except ValidationError as error:
            mistakes = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            raise PlanError("the plan of faults is wrong: " + "; ".join(mistakes)) from None

    @classmethod
    def read(cls, path: Path) -> "FaultPlan":
        """Raises PlanError."""
        try:
            return cls.parse(path.read_text())
        except OSError as error:
            raise PlanError(f"the plan of faults cannot be read: {error}") from None

    def meet(self, service: Service, call: str, counts: MutableMapping[int, int]) -> Fault | None:
        """What this call meets. `counts` holds how often each rule matched; every rule that matches counts the call."""
        found: Fault | None = None
        for index, rule in enumerate(self.rules):
            if not rule.matches(service, call):
                continue
            counts[index] = occurrence = counts.get(index, 0) + 1
            if found is None and rule.applies(occurrence, self._draw(index, occurrence)):
                found = rule
        return found

    def _draw(self, rule: int, occurrence: int) -> float:
        # One generator per draw: what one rule draws does not depend on the calls of the others.
        return random.Random(f"{self.seed}/{rule}/{occurrence}").random()  # noqa: S311 -- repeatable, not secret

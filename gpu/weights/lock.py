"""`gpu/weights.lock`: JSON, one entry for each file of weights.

`sha256` and `bytes` are null until `python -m gpu.weights lock` has measured them; they are never filled in by hand.
Such an entry is unverified, and everything that uses weights refuses it.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

LOCK = Path(__file__).parents[1] / "weights.lock"
LOCK_COMMAND = "python -m gpu.weights lock"
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class WeightsError(Exception):
    """Weights that cannot be trusted or got; the text says what to do, for whoever builds the image."""


class Weight(BaseModel):
    """One file. `upstream_md5` is what the publisher's own package expects: a check more, never enough alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    file: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="its name in the folder of weights")
    ]
    url: str
    licence: Annotated[str, Field(min_length=1, description="SPDX identifier")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    bytes: Annotated[int, Field(gt=0)] | None
    upstream_md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        check_address(url)
        return url

    @model_validator(mode="after")
    def _check(self) -> "Weight":
        if (self.sha256 is None) != (self.bytes is None):
            raise ValueError("sha256 and bytes are measured together: both or none")
        return self


class _Lock(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: tuple[Weight, ...]

    @model_validator(mode="after")
    def _check(self) -> "_Lock":
        for key in ("name", "file"):
            values = [getattr(weight, key) for weight in self.weights]
            if len(values) != len(set(values)):
                raise ValueError(f"two entries have the same {key}")
        return self


def check_address(url: str) -> None:
    """Raises ValueError for anything but https; this machine itself may be asked without."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None:
        raise ValueError("the address has no host, or a user in it")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError(f"{parts.scheme}://{parts.hostname} is not https")


def read_lock(path: Path = LOCK) -> tuple[Weight, ...]:
    """Raises WeightsError for a file that is not such a lock."""
    try:
        return _Lock.model_validate_json(path.read_bytes()).weights
    except (OSError, ValidationError) as error:
        raise WeightsError(f"{path.name} is no lock of weights: {error}") from error


def write_lock(weights: Sequence[Weight], path: Path = LOCK) -> None:
    """Replaces the file in one step."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        content = {"weights": [weight.model_dump() for weight in weights]}
        partial.write_text(json.dumps(content, indent=2) + "\n")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def chosen(weights: Sequence[Weight], names: Sequence[str]) -> tuple[Weight, ...]:
    """The entries of these names in this order, or all without names; raises WeightsError for an unknown one."""
    by_name = {weight.name: weight for weight in weights}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise WeightsError(f"no weights are called {', '.join(unknown)}; there are {', '.join(by_name)}")
    return tuple(by_name[name] for name in names) if names else tuple(weights)


def measured(weight: Weight) -> tuple[str, int]:
    """The entry's hash and size; raises WeightsError for an unverified one."""
    if weight.sha256 is None or weight.bytes is None:
        raise WeightsError(
            f"{weight.name} has no verified hash; run `{LOCK_COMMAND}` where the internet is reachable, review the "
            "difference and commit it"
        )
    return weight.sha256, weight.bytes

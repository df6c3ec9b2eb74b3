"""A stack file read without Pulumi, for what needs no secret of it."""

from typing import Any

import yaml

from infra.config import NAMESPACE, SECRET_KEYS, ConfigError, StackConfig
from infra.sources import ROOT


def config_of(stack: str) -> StackConfig:
    """Secrets are placeholders, set or not; raises ConfigError."""
    path = ROOT / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise ConfigError(f"there is no {path.name}")
    try:
        document = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name} cannot be read: {error}") from None
    values: dict[str, Any] = document.get("config") or {}
    unset = {f"{NAMESPACE}:{key}": "unused" for key in SECRET_KEYS}
    return StackConfig.parse(stack, {**values, **unset})

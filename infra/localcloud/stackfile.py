"""The local stack's file read without Pulumi: the local cloud takes its ports from there and from nowhere else."""

import yaml

from infra.config import ConfigError, StackConfig
from infra.sources import ROOT

STACK = "local"
CREDENTIALS = ROOT / "infra/local.env"


def credentials() -> dict[str, str]:
    """Credentials of the stand-ins by the name of their environment variable (infra/local.env)."""
    lines = [line.strip() for line in CREDENTIALS.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def local_config() -> StackConfig:
    """Pulumi.local.yaml with the stand-ins' tokens in place of its encrypted ones; raises ConfigError."""
    path = ROOT / f"Pulumi.{STACK}.yaml"
    try:
        document = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path.name} cannot be read: {error}") from None
    known = credentials()
    tokens = {
        "reel:modalTokenId": known["MODAL_TOKEN_ID"],
        "reel:modalTokenSecret": known["MODAL_TOKEN_SECRET"],
    }
    return StackConfig.parse(STACK, {**document.get("config", {}), **tokens})

"""The environment of a machine: nothing of the stand-in's own but PATH, HOME and LANG."""

import os
from collections.abc import Mapping
from pathlib import Path

from infra.localcloud.fly.images.build import Image
from infra.localcloud.fly.machine.process import LOOPBACK
from infra.localcloud.fly.model import Machine


def environment_of(
    app: str, machine: Machine, image: Image, secrets: Mapping[str, str], *, python: Path, port: int
) -> dict[str, str]:
    """Image, fly.toml, secrets and Fly's own names, each winning over those before it; HOST and PORT win over all.

    Source of Fly's names: its manual, "The Machine runtime environment".
    """
    inherited = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    fly = {
        "FLY_APP_NAME": app,
        "FLY_MACHINE_ID": machine.id,
        "FLY_ALLOC_ID": machine.id,
        "FLY_MACHINE_VERSION": machine.instance_id,
        "FLY_RELEASE_VERSION": str(machine.release_version),
        "FLY_REGION": machine.region,
        "PRIMARY_REGION": machine.config.primary_region,
        "FLY_PROCESS_GROUP": "app",
        "FLY_IMAGE_REF": str(machine.image),
        "FLY_VM_MEMORY_MB": str(machine.config.guest.memory_mb),
    }
    searched = image.environment.get("PATH") or os.environ.get("PATH", os.defpath)
    return {
        **inherited,
        **image.environment,
        **machine.config.env,
        **secrets,
        **fly,
        "PATH": f"{python.parent}{os.pathsep}{searched}",
        "HOST": LOOPBACK,
        "PORT": str(port),
    }


def command_of(image: Image, python: Path) -> list[str]:
    """`python` as the first word means the interpreter that this computer has for the image."""
    first, *rest = image.argv
    return [str(python) if first in ("python", "python3") else first, *rest]

"""Are the tools here that bring a stack up?"""

import os
import shutil
from functools import partial

from infra.deploy.errors import DeployError
from infra.deploy.verify.report import Check
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient
from infra.sources import ROOT

GUIDE = "docs/going-live.md says how to install it"


def complaints(patient: Patient) -> list[Complaint]:
    return [
        Complaint(Check("tool pulumi", partial(pulumi, patient)), f"{GUIDE}; then: pulumi version"),
        Complaint(Check("tool flyctl", partial(on_path, "flyctl")), f"{GUIDE}; then: flyctl version"),
        Complaint(Check("tool node", partial(on_path, "node")), "make setup"),
    ]


async def pulumi(patient: Patient) -> str:
    if patient.is_local and shutil.which("pulumi") is None:
        return "not needed: the local stack is rehearsed without it"
    return await on_path("pulumi")


async def on_path(tool: str) -> str:
    """Our own environment's tools count too."""
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ.get('PATH', '')}" if tool == "node" else None
    found = shutil.which(tool, path=path)
    if found is None:
        raise DeployError(f"{tool} is not installed or not on PATH")
    return found

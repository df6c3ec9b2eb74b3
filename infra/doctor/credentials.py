"""Are the ambient credentials set, and does each cloud accept them? None is ever printed."""

import asyncio
import json
import os
import sys
from functools import partial
from typing import Any

from infra.deploy.errors import DeployError
from infra.deploy.process import run
from infra.deploy.verify.report import Check
from infra.doctor.complaint import Complaint
from infra.doctor.patient import Patient

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
FLY, MODAL = "credentials Fly", "credentials Modal"
TIMEOUT_S = 60


def complaints(patient: Patient) -> list[Complaint]:
    found = [
        Complaint(
            Check("credentials Cloudflare", partial(cloudflare, patient)),
            "export CLOUDFLARE_API_TOKEN=…  (docs/going-live.md: which scopes it needs)",
        ),
        Complaint(
            Check(FLY, partial(fly, patient), ("tool flyctl",)),
            f'export FLY_ACCESS_TOKEN="$(flyctl tokens create deploy -a {patient.app})"  (after flyctl auth login)',
        ),
    ]
    if patient.visit.outputs.gpu_app:
        remedy = "export MODAL_TOKEN_ID=… MODAL_TOKEN_SECRET=…  (made by: .venv/bin/modal token new)"
        found.append(Complaint(Check(MODAL, modal), remedy))
    return found


async def cloudflare(patient: Patient) -> str:
    """A token of a user or, where the account is known, one of the account."""
    token = os.environ.get("CLOUDFLARE_API_TOKEN", "")
    if not token:
        raise DeployError("CLOUDFLARE_API_TOKEN is not set")
    base = os.environ.get("CLOUDFLARE_API_BASE_URL") or os.environ.get("CLOUDFLARE_BASE_URL") or CLOUDFLARE
    paths = ["/user/tokens/verify"]
    if patient.account_id:
        paths.append(f"/accounts/{patient.account_id}/tokens/verify")
    for path in paths:
        answer = await patient.visit.web.get(f"{base}{path}", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 200 and answer.json().get("result", {}).get("status") == "active":
            return "set and accepted"
    raise DeployError(f"Cloudflare does not accept CLOUDFLARE_API_TOKEN (status {answer.status_code})")


async def fly(patient: Patient) -> str:
    try:
        await patient.machines()
    except DeployError as error:
        # Only a refusal is a matter of credentials; what else is wrong is the machines' row.
        words = str(error).lower()
        if any(refusal in words for refusal in ("token", "unauthorized", "not authorized", "401", "403", "login")):
            raise
    return "accepted"


async def modal() -> str:
    listed = await ask_modal("environment", "list")
    return f"accepted, {len(listed)} environment(s)"


async def ask_modal(*words: str) -> list[dict[str, Any]]:
    """What `modal … --json` lists; raises DeployError."""
    command = [sys.executable, "-m", "modal", *words, "--json"]
    hidden = (os.environ.get("MODAL_TOKEN_SECRET", ""), os.environ.get("MODAL_TOKEN_ID", ""))
    quiet = {"NO_COLOR": "1", "TERM": "dumb"}
    text = await asyncio.to_thread(run, command, env=quiet, timeout_s=TIMEOUT_S, secrets=hidden, quiet=True)
    found: list[dict[str, Any]] = json.loads(text)
    return found

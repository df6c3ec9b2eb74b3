"""The stack that is looked at: its outputs, how it is brought up, and what Fly says about its machines."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from infra.config import StackConfig
from infra.deploy import flyctl
from infra.deploy.errors import DeployError
from infra.deploy.flyctl import FlyTarget
from infra.deploy.verify.visit import Visit

ANEW = "make clean && make up"


@dataclass
class Patient:
    """`stack` is its name, or "STACK" where only a file of outputs was given; `account_id` "" where it is not known.

    `config`: the stack file, None where only outputs are known.
    """

    visit: Visit
    stack: str
    is_local: bool = False
    account_id: str = ""
    config: StackConfig | None = None
    _status: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def up(self) -> str:
        """The command that makes the stack what its file says."""
        return "make up" if self.is_local else f"pulumi up -s {self.stack}"

    @property
    def redeploy(self) -> str:
        """The command that deploys the backend again where `up` finds nothing to do."""
        if self.is_local:
            return ANEW
        return f'pulumi config set reel:redeploy "$(date +%s)" -s {self.stack} && {self.up}'

    def repeat(self, step: str) -> str:
        """The command that runs a deploy step again; only for one without an undo, which a replacement would run."""
        return ANEW if self.is_local else f"{self.up} --replace '**::{step}'"

    @property
    def refresh(self) -> str:
        """The command that puts back what a provider can read."""
        return ANEW if self.is_local else f"{self.up} --refresh"

    @property
    def app(self) -> str:
        return self.visit.outputs.fly_app or "APP"

    async def machines(self) -> list[dict[str, Any]]:
        """As Fly shows them now; raises DeployError when Fly does not answer or does not know the app."""
        if not self.visit.outputs.fly_app:
            raise DeployError("the outputs name no fly_app")
        found = await asyncio.to_thread(flyctl.status, FlyTarget(app=self.visit.outputs.fly_app))
        if found is None:
            raise DeployError(f"Fly does not know the app {self.visit.outputs.fly_app}")
        self._status = found
        machines: list[dict[str, Any]] = found["Machines"]
        return machines

    @property
    def seen_machines(self) -> list[dict[str, Any]]:
        """As `machines` last answered; none before that."""
        return (self._status or {}).get("Machines") or []

    @property
    def machine_environment(self) -> dict[str, str]:
        """Plain variables of the backend as Fly was last seen to hold them; empty before that."""
        machines = self.seen_machines or [{}]
        found: dict[str, str] = machines[0].get("config", {}).get("env", {})
        return found

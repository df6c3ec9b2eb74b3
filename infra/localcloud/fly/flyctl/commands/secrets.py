"""`flyctl secrets list|import|unset`: values come on stdin only, and are never printed."""

from typing import Any

from infra.localcloud.fly.flyctl.commands.deploy import follow
from infra.localcloud.fly.flyctl.dotenv import parse
from infra.localcloud.fly.flyctl.errors import CommandError
from infra.localcloud.fly.flyctl.queries import APP_COMPACT
from infra.localcloud.fly.flyctl.run import Run

STAGED = (
    "Secrets have been staged, but not set on VMs. "
    "Deploy or update machines in this app for the secrets to take effect."
)


def list_all(run: Run) -> None:
    with run.machines("failed to list app secrets: ", f"GET /v1/apps/{run.app}/secrets"):
        secrets = run.call("GET", "/secrets")
    if run.flags.on("--json"):
        run.show(secrets)
        return
    rows = [
        [f"{'* ' if secret['status'] == 'Staged' else ''}{secret['name']}", secret["digest"], secret["status"]]
        for secret in secrets
    ]
    run.table(["NAME", "DIGEST", "STATUS"], rows)


def import_all(run: Run) -> None:
    with run.graphql(APP_COMPACT):
        run.call("GET")
    secrets = parse(run.stdin.read())
    if not secrets:
        raise CommandError("requires at least one SECRET=VALUE pair")
    _change(run, {"set": secrets})


def unset(run: Run) -> None:
    with run.graphql(APP_COMPACT):
        run.call("GET")
    if not run.arguments:
        raise CommandError("requires at least one secret name")
    _change(run, {"unset": run.arguments})


def _change(run: Run, change: dict[str, Any]) -> None:
    with run.machines("", f"POST /v1/apps/{run.app}/secrets"):
        deployed = run.call("POST", "/secrets", change)["deployed"]
    if run.flags.on("--stage"):
        run.say(STAGED)
    elif not deployed:
        run.say("Secrets are staged for the first deployment")
    else:
        follow(run, {"detach": run.flags.on("--detach")})

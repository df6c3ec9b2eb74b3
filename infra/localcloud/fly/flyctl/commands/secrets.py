"""`flyctl secrets list|import|set|unset|deploy`: values are never printed."""

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
    staged = sum(secret["status"] == "Staged" for secret in secrets)
    if staged:
        count = "is 1 secret" if staged == 1 else f"are {staged} secrets"
        run.say(f"There {count} not deployed. Deploy with `fly secrets deploy` to make them available.")


def import_all(run: Run) -> None:
    with run.graphql(APP_COMPACT):
        run.call("GET")
    secrets = parse(run.stdin.read())
    if not secrets:
        raise CommandError("requires at least one SECRET=VALUE pair")
    _change(run, {"set": secrets})


def set_some(run: Run) -> None:
    """Of arguments `NAME=VALUE`; `-` as a value is not read from stdin, as the real one can."""
    with run.graphql(APP_COMPACT):
        run.call("GET")
    if not run.arguments:
        raise CommandError("requires at least one SECRET=VALUE pair")
    pairs = [argument.partition("=") for argument in run.arguments]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"could not parse secrets: '{name}': must be in the format NAME=VALUE")
    _change(run, {"set": {name: value for name, _, value in pairs}})


def deploy_staged(run: Run) -> None:
    with run.graphql(APP_COMPACT):
        run.call("GET")
    follow(run, {"detach": run.flags.on("--detach")})


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

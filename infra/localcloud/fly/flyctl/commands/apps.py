"""`flyctl apps create|destroy` and `flyctl status`."""

from typing import Any

from infra.localcloud.fly.flyctl.errors import ApiError, CommandError, UnreachableError
from infra.localcloud.fly.flyctl.queries import APP_COMPACT, APP_FULL
from infra.localcloud.fly.flyctl.run import Run, request_id

_UNIQUE = (
    "App names are unique across all of Fly.io, not just your organization, so this name may be held by an app you "
    "cannot see. Try a different name."
)


def create(run: Run) -> None:
    name = run.arguments[0] if run.arguments else run.flags.text("--name")
    api = run.api
    if not name:
        raise CommandError("name argument or flag must be specified when not running interactively")
    organization = run.flags.text("--org")
    if organization is None:
        organization = "personal"
        run.note("automatically selected personal organization: Local User")
    try:
        app = api.call("POST", "/v1/apps", {"name": name, "organization": organization})
    except UnreachableError as error:
        raise CommandError(f'Post "{api.base_url}/v1/apps": {error}') from error
    except ApiError as error:
        if error.message.startswith("organization"):
            raise CommandError(error.message) from error
        taken = [_UNIQUE] if "already been taken" in error.message else []
        raise CommandError(f"{error.message} (Request ID: {request_id()})", taken) from error
    if run.flags.on("--json"):
        run.show(_created(app))
    else:
        run.say(f"New app created: {name}")


def destroy(run: Run) -> None:
    api = run.api
    if not run.arguments:
        raise CommandError("requires at least 1 arg(s), only received 0")
    for name in run.arguments:
        if not run.flags.on("--yes"):
            run.note("Destroying an app is not reversible.")
            raise CommandError("yes flag must be specified when not running interactively")
        with run.graphql(APP_FULL):
            api.call("DELETE", f"/v1/apps/{name}")
        run.say(f"Destroyed app {name}")


def status(run: Run) -> None:
    with run.graphql(f"failed to get app: {APP_COMPACT}"):
        app = run.call("GET")
    if run.flags.on("--json"):
        run.show(_status(app))
        return
    run.say("App")
    run.say(f" Name     │ {app['name']}\n Owner    │ {app['organization']}\n Hostname │ {app['hostname']}\n")
    run.say("Machines")
    rows = [
        [
            "app",
            machine["id"],
            machine["config"]["metadata"]["fly_release_version"],
            machine["region"],
            machine["state"],
        ]
        for machine in app["machines"]
    ]
    run.table(["PROCESS", "ID", "VERSION", "REGION", "STATE"], rows)


def _status(app: dict[str, Any]) -> dict[str, Any]:
    return {
        "AppURL": f"https://{app['hostname']}",
        "Deployed": app["deployed"],
        "Hostname": app["hostname"],
        "ID": app["name"],
        "Machines": app["machines"],
        "Name": app["name"],
        "Organization": {
            "ID": "org1",
            "InternalNumericID": "101",
            "Name": "",
            "Slug": app["organization"],
            "RawSlug": "",
            "PaidPlan": True,
        },
        "PlatformVersion": "machines",
        "Status": app["status"],
        "Version": app["version"],
    }


def _created(app: dict[str, Any]) -> dict[str, Any]:
    """The fields of `apps create --json` that have a value."""
    return {
        "ID": app["name"],
        "InternalNumericID": app["number"],
        "Name": app["name"],
        "State": "",
        "Status": app["status"],
        "Deployed": app["deployed"],
        "Hostname": app["hostname"],
        "AppURL": f"https://{app['hostname']}",
        "Version": app["version"],
        "Organization": {"ID": "org1", "Slug": app["organization"], "PaidPlan": True},
        "PlatformVersion": "machines",
        "Machines": {"Nodes": []},
    }

"""`flyctl apps create|destroy|list`."""

from typing import Any

from infra.localcloud.fly.flyctl.app_document import app_document
from infra.localcloud.fly.flyctl.errors import ApiError, CommandError, UnreachableError
from infra.localcloud.fly.flyctl.queries import APP_FULL, APP_LIST
from infra.localcloud.fly.flyctl.run import Run, request_id
from infra.localcloud.fly.flyctl.when import ago

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
        run.show(app_document(app, created=True))
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


def list_all(run: Run) -> None:
    with run.graphql(APP_LIST):
        apps = run.api.call("GET", "/v1/apps")
    wanted = run.flags.text("--org")
    apps = [app for app in apps if wanted in (None, app["organization"])]
    if run.flags.on("--json"):
        run.show([app_document(app, created=False) for app in apps])
    elif run.flags.on("--quiet"):
        run.say("\n".join(f" {app['name']}" for app in apps) + "\n")
    else:
        rows = [[app["name"], app["organization"], app["status"], _latest(app)] for app in apps]
        run.table(["NAME", "OWNER", "STATUS", "LATEST DEPLOY"], rows)


def _latest(app: dict[str, Any]) -> str:
    return ago(app["latest_release"]["created_at"]) if app["latest_release"] else ""

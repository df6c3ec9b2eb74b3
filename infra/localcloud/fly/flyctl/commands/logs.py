"""`flyctl logs --no-tail`. With no line at all the real flyctl waits for ever; this one ends."""

import json
from typing import Any

from infra.localcloud.fly.flyctl.errors import ApiError, CommandError, UnreachableError
from infra.localcloud.fly.flyctl.run import Run


def logs(run: Run) -> None:
    _ = run.app
    if not run.flags.on("--no-tail"):
        raise CommandError("the loopback flyctl only has `logs --no-tail`")
    machine = run.flags.text("--machine")
    path = f"/logs?instance={machine}" if machine else "/logs"
    try:
        lines = run.call("GET", path)
    except ApiError as error:
        unknown = error.code == "app_not_found"
        raise CommandError("404 Not Found" if unknown else error.message) from error
    except UnreachableError as error:
        url = f"{run.api.base_url}/api/v1/apps/{run.app}/logs?next_token="
        raise CommandError(f'Get "{url}": {error}') from error
    for line in lines:
        run.say(json.dumps(_entry(line), indent=4, ensure_ascii=False) if run.flags.on("--json") else _text(line))


def _text(line: dict[str, Any]) -> str:
    source = f"{line['provider']}[{line['instance']}]"
    return f"{line['timestamp']} {source} {line['region']} [{line['level']}]{line['message']}"


def _entry(line: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: line[name] for name in ("level", "instance", "message", "region", "timestamp")},
        "meta": {
            "Instance": line["instance"],
            "Region": line["region"],
            "Event": {"Provider": line["provider"]},
            "HTTP": {"Request": {"ID": "", "Method": "", "Version": ""}, "Response": {"status_code": 0}},
            "Error": {"Code": 0, "Message": ""},
            "URL": {"Full": ""},
        },
    }

"""`flyctl deploy`: reads flags and fly.toml, lets the stand-in build and roll out, and repeats what it tells."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.localcloud.fly.durations import parse_duration
from infra.localcloud.fly.flyctl.commands.config import report_problems
from infra.localcloud.fly.flyctl.document import Document, InvalidDocumentError
from infra.localcloud.fly.flyctl.errors import ApiError, CommandError
from infra.localcloud.fly.flyctl.progress import Progress
from infra.localcloud.fly.flyctl.run import NO_APP_NAME, Run, request_id

DEFAULT_WAIT = "5m0s"
_NO_TIMEOUT_S = 30 * 86400.0
_NO_DOCKERFILE = (
    "app does not have a Dockerfile or buildpacks configured. "
    "See https://fly.io/docs/reference/configuration/#the-build-section"
)
_INVALID = "App configuration is not valid"


def deploy(run: Run) -> None:
    """A folder as argument becomes the working folder, for relative flags too, as in flyctl."""
    if run.arguments:
        run = dataclasses.replace(run, folder=run.folder / run.arguments[0])
    _ = run.api
    document = _document(run)
    app = run.app
    body = {
        "config": document.data,
        "strategy": run.flags.text("--strategy"),
        "config_name": document.name,
        "wait_timeout": _wait_timeout(run, document),
        "env": _pairs(run.flags.texts("--env")),
        "ha": run.flags.on("--ha"),
        "detach": run.flags.on("--detach"),
        "smoke_checks": run.flags.on("--smoke-checks"),
        "max_unavailable": _max_unavailable(run),
        "release_command_timeout_s": _release_command_timeout_s(run),
        "skip_release_command": run.flags.on("--skip-release-command"),
    }
    with run.machines("", f"GET /v1/apps/{app}"):
        hostname = run.call("GET")["hostname"]
    image = run.flags.text("--image") or document.data.get("build", {}).get("image")
    follow(run, {**body, **({"image": image} if image else {"build": _build(run, document)})})
    run.say(f"\nVisit your newly deployed app at https://{hostname}/\n")


def follow(run: Run, body: Mapping[str, Any]) -> None:
    """Prints a deploy while it runs, and its release as JSON when FLY_EMIT_RELEASE_JSON asks for it."""
    progress = Progress(run.app)
    with run.machines("", f"POST /v1/apps/{run.app}/deploys"), progress.told_when_interrupted(run):
        for event in run.api.stream(f"/v1/apps/{run.app}/deploys", body):
            if "text" in event:
                progress.note(event["text"])
                stream = run.stdout if event["stream"] == "stdout" else run.stderr
                stream.write(event["text"])
                stream.flush()
            elif "error" in event:
                error = event["error"]
                asked = f" (Request ID: {request_id()})" if error["code"] == "lease_held" else ""
                raise CommandError(f"{error['message']}{asked}", error["details"])
            else:
                if run.env.get("FLY_EMIT_RELEASE_JSON"):
                    run.say(json.dumps(event["release"], separators=(",", ":")))
                return
        raise ApiError("hung_up", "the Fly stand-in ended the deploy without a result; its own log says why")


def _document(run: Run) -> Document:
    """Tells what it verifies, and refuses what flyctl refuses."""
    try:
        document = run.document()
    except FileNotFoundError:
        raise CommandError(NO_APP_NAME) from None
    try:
        document.check_types()
    except InvalidDocumentError as error:
        run.note(f"WARN WARNING the config file at '{document.name}' is not valid: {error}")
        run.note("==> Verifying app config")
        run.say(f"Validating {document.name}\n\n   ✘{error}")
        raise CommandError(_INVALID) from error
    run.note("==> Verifying app config")
    run.say(f"Validating {document.name}")
    report_problems(run, document)
    run.say("✓ Configuration is valid")
    run.note("--> Verified app config")
    return document


def _build(run: Run, document: Document) -> dict[str, Any]:
    """Paths of fly.toml are relative to it and win over the flags, as in flyctl."""
    section = document.data.get("build", {})
    context = run.folder.resolve()
    dockerfile = _path(run, document, "dockerfile") or _default_dockerfile(context)
    if not dockerfile.is_file():
        raise _not_built(f"dockerfile '{dockerfile}' not found")
    ignorefile = _path(run, document, "ignorefile")
    return {
        "context": str(context),
        "dockerfile": str(dockerfile),
        "ignorefile": str(ignorefile) if ignorefile else None,
        "arguments": {**section.get("args", {}), **_pairs(run.flags.texts("--build-arg"))},
        "target": section.get("build-target") or run.flags.text("--build-target") or "",
        "label": run.flags.text("--image-label") or "",
    }


def _path(run: Run, document: Document, name: str) -> Path | None:
    configured: str | None = document.data.get("build", {}).get(name)
    if configured:
        return (document.path.parent / configured).resolve()
    given = run.flags.text(f"--{name}")
    return (run.folder / given).resolve() if given else None


def _default_dockerfile(context: Path) -> Path:
    for name in ("Dockerfile", "dockerfile"):
        if (context / name).is_file():
            return context / name
    raise _not_built(_NO_DOCKERFILE)


def _not_built(reason: str) -> CommandError:
    return CommandError(f"failed to fetch an image or build from source: {reason}")


def _wait_timeout(run: Run, document: Document) -> str:
    """As text: flyctl finds out that it is nonsense only after it has the image."""
    given = run.flags.given.get("--wait-timeout")
    return given[-1] if given else str(document.data.get("deploy", {}).get("wait_timeout", DEFAULT_WAIT))


def _max_unavailable(run: Run) -> float | None:
    """None unless it was given: then fly.toml's counts, or Fly's default."""
    given = run.flags.texts("--max-unavailable")
    return float(given[-1]) if given else None


def _release_command_timeout_s(run: Run) -> float | None:
    given = run.flags.texts("--release-command-timeout")
    return None if not given else _NO_TIMEOUT_S if given[-1] == "none" else parse_duration(given[-1])


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"'{name}': must be in the format NAME=VALUE")
    return {name: value for name, _, value in pairs}

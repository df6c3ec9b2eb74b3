"""python -m infra.rehearsal {preview,up,destroy,outputs,encrypt}: a Pulumi program applied with no Pulumi CLI."""

import argparse
import contextlib
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.rehearsal import crypto, encryption, result, safety
from infra.rehearsal.carry import Carrier
from infra.rehearsal.console import shown
from infra.rehearsal.deletions import destroy
from infra.rehearsal.deployment import Deployment
from infra.rehearsal.lock import LockedError, locked
from infra.rehearsal.project import ProjectError
from infra.rehearsal.session import ROOT, Session, ahead, open_session
from infra.rehearsal.stack_config import ConfigError
from infra.rehearsal.store import StateError, saved_outputs
from infra.rehearsal.values import Values

EXPLAINED = (
    ProjectError,
    ConfigError,
    StateError,
    LockedError,
    crypto.SecretsError,
    safety.UnsafeError,
    safety.EnvFileError,
    encryption.EncryptionError,
)
"""Errors whose message is all there is to say."""

BANNER = "rehearsal, not Pulumi: stack {stack!r} on this machine's stand-ins only"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failed, 2 misused, 130 or 143 interrupted."""
    options = _parser().parse_args(arguments)
    options.state = options.state or ROOT / ".local" / "stacks" / f"{options.stack}.json"
    options.began = time.perf_counter()
    options.stream = sys.stderr if options.json else sys.stdout
    try:
        return int(options.do(options))
    except KeyboardInterrupt:
        return 130
    except EXPLAINED as error:
        _say(f"error: {error}", sys.stderr)
        return 1


def preview(options: Namespace) -> int:
    return _apply(options, preview=True)


def up(options: Namespace) -> int:
    with locked(options.state):
        return _apply(options, preview=False)


def _apply(options: Namespace, *, preview: bool) -> int:
    imported = ahead("infra.rehearsal.program")
    session = open_session(options, preview=preview)
    session.console.line(BANNER.format(stack=options.stack))
    imported()
    from infra.rehearsal.program import run_program

    carrier = session.carrier(options, preview=preview)
    if not preview:
        session.resume(carrier)
    deployment = Deployment(session.project.name, options.stack, carrier, session.config)
    with session.hearing():
        error = run_program(session.project.program, deployment, session.config, session.project.folder)
    if error:
        session.journal.fail(error.message)
    deployment.finish(program_failed=error is not None)
    if not preview and not session.journal.failed and not session.halt.interrupted:
        _settle(session, carrier)
    return _conclude(session, options, carrier, deployment.planned_outputs if preview else None)


def _settle(session: Session, carrier: Carrier) -> None:
    """What is still pending belongs to nothing that there is to do: it is said once and forgotten."""
    for urn, pending in carrier.state.pending.items():
        session.journal.warn(
            f"an earlier run was stopped while {pending.operation} this {pending.type}, and it is neither in the "
            "program nor in the state; look whether something is left of it and remove it by hand",
            urn,
        )
    if carrier.state.pending:
        carrier.state.pending = {}
        session.store.save(carrier.state)


def tear_down(options: Namespace) -> int:
    with locked(options.state):
        session = open_session(options, declared=False)
        session.console.line(BANNER.format(stack=options.stack))
        carrier = session.carrier(options, preview=False)
        session.resume(carrier)
        spared = destroy(carrier, exclude_protected=options.exclude_protected)
        for resource in spared:
            session.console.line(f"    kept {resource.name}{': protected' if resource.protect else ''}")
        if not session.journal.failed and not session.halt.interrupted:
            _settle(session, carrier)
        return _conclude(session, options, carrier, None)


def _conclude(session: Session, options: Namespace, carrier: Carrier, planned: Values | None) -> int:
    """Reports; the exit status. `planned`: the stack's outputs, of a preview."""
    session.console.stop()
    is_preview = carrier.preview
    journal, redactor = session.journal, session.redactor
    outputs = planned if planned is not None else carrier.state.outputs
    if not options.json:
        seconds = time.perf_counter() - options.began
        session.console.summary(journal, seconds, options.verb, interrupted=session.halt.interrupted)
        session.console.outputs(outputs)
    elif is_preview:
        _print(result.preview_json(journal, redactor, session.config.values, session.config.secret_keys))
    else:
        how = "interrupted" if session.halt.interrupted else "failed" if journal.failed else "succeeded"
        _print(result.summary_json(how, journal, outputs, redactor))
    if options.result:
        saved = session.store.load() if is_preview else carrier.state
        plan = result.planned(journal.operations, outputs, carrier.made_up_ids) if is_preview else None
        document = result.conformance(journal.operations, journal.changes(), saved.all, saved.outputs, plan)
        _write(options.result, document if session.config.clear else redactor.value(document))
    if session.halt.interrupted:
        return 128 + session.halt.signal
    return 1 if journal.failed else 0


def outputs(options: Namespace) -> int:
    """Needs no passphrase: what is secret stays hidden."""
    found = saved_outputs(options.state)
    if options.json:
        _print(found)
    else:
        for key, value in sorted(found.items()):
            _say(f"{key}: {shown(value)}", sys.stdout)
    return 0


def encrypt(options: Namespace) -> int:
    text = sys.stdin.read().removesuffix("\n")
    path = options.config or ROOT / f"Pulumi.{options.stack}.yaml"
    surroundings = safety.surroundings(os.environ, options.env_file)
    encryption.encrypt_into(path, options.key, text, surroundings.passphrase)
    _say(f"{path}: {options.key} is set", sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.rehearsal", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="{preview,up,destroy,outputs,encrypt}")
    for name, do, about in (
        ("preview", preview, "say what `up` would do; changes nothing"),
        ("up", up, "make what the program declares"),
        ("destroy", tear_down, "delete what the state has"),
        ("outputs", outputs, "print the stack's outputs"),
        ("encrypt", encrypt, "read a value on stdin and write it into the stack's settings, encrypted"),
    ):
        verb = verbs.add_parser(name, help=about, description=about)
        verb.set_defaults(do=do)
        _add_options(verb)
        if name == "encrypt":
            verb.add_argument("key", metavar="KEY", help="the setting, as namespace:name or the project's own name")
    return parser


def _add_options(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("--program", type=Path, help="folder with __main__.py (default: `main` of Pulumi.yaml)")
    add("--stack", default="local", help="(default: local)")
    add("--state", type=Path, help="state file (default: .local/stacks/<stack>.json)")
    add("--config", type=Path, help="settings (default: Pulumi.<stack>.yaml); .json: a conformance vector's")
    add("--project", help="(default: `name` of Pulumi.yaml)")
    add("--result", type=Path, metavar="FILE", help="write what was done as JSON")
    add("--json", action="store_true", help="print JSON; progress goes to stderr")
    add("--parallel", type=int, default=8, metavar="N", help="operations at once (default: 8)")
    add("--continue-on-error", action="store_true", help="go on with what does not need what failed")
    add("--exclude-protected", action="store_true", help="destroy: spare protected resources and what they need")
    add("--env-file", type=Path, metavar="FILE", help="NAME=VALUE lines for commands and the program, hidden in output")
    add("--yes", action="store_true", help="accepted for likeness with pulumi; nothing is asked")


def _print(document: Any) -> None:  # noqa: ANN401 -- JSON
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _say(text: str, stream: Any) -> None:  # noqa: ANN401 -- a text stream
    stream.write(f"{text}\n")
    stream.flush()


def _write(path: Path, document: Any) -> None:  # noqa: ANN401 -- JSON
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file, indent=1)

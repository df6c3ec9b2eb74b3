"""python -m infra.rehearsal {preview,up,destroy,outputs,history,encrypt}: a Pulumi program applied with no CLI."""

import contextlib
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.rehearsal import crypto, encryption, history, result, safety
from infra.rehearsal.analyzer import AnalyzerError
from infra.rehearsal.arguments import Verb, parser
from infra.rehearsal.carry import Carrier
from infra.rehearsal.console import shown
from infra.rehearsal.deletions import destroy
from infra.rehearsal.deployment import Deployment
from infra.rehearsal.digest import Digest, Shown
from infra.rehearsal.lock import LockedError, locked
from infra.rehearsal.project import ProjectError
from infra.rehearsal.refresh import refresh
from infra.rehearsal.session import ROOT, Session, ahead, open_session
from infra.rehearsal.stack_config import ConfigError
from infra.rehearsal.store import StateError, saved_outputs
from infra.rehearsal.targets import Targets
from infra.rehearsal.values import Values, plain_values

EXPLAINED = (
    ProjectError,
    ConfigError,
    StateError,
    LockedError,
    crypto.SecretsError,
    safety.UnsafeError,
    safety.EnvFileError,
    encryption.EncryptionError,
    AnalyzerError,
)
"""Errors whose message is all there is to say."""

BANNER = "rehearsal, not Pulumi: stack {stack!r} on this machine's stand-ins only"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 done, 1 failed, 2 misused, 130 or 143 interrupted."""
    options = parser(VERBS, __doc__).parse_args(arguments)
    options.state = options.state or ROOT / ".local" / "stacks" / f"{options.stack}.json"
    options.began, options.began_at = time.perf_counter(), datetime.now(UTC)
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
    if options.refresh:
        refresh(carrier)
    with session.policies(options, preview=preview) as policies:
        deployment = Deployment(session.project.name, options.stack, carrier, session.config, policies.admit)
        deployment.targets = _targets(options)
        deployment.outputs_of = session.outputs_of(options)
        with session.hearing():
            error = run_program(session.project.program, deployment, session.config, session.project.folder)
        if error:
            session.journal.fail(error.message)
        deployment.finish(program_failed=error is not None)
        policies.judge_whole()
    for line in policies.lines():
        session.console.line(line)
    if not preview and not session.journal.failed and not session.halt.interrupted:
        _settle(session, carrier)
    return _conclude(session, options, carrier, deployment.planned_outputs if preview else None)


def _targets(options: Namespace) -> Targets:
    return Targets(tuple(options.target), options.target_dependents)


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


def look(options: Namespace) -> int:
    """`pulumi refresh`: the state follows what is outside; with --preview-only nothing does."""
    with locked(options.state):
        session = open_session(options, preview=options.preview_only, declared=False)
        session.console.line(BANNER.format(stack=options.stack))
        carrier = session.carrier(options, preview=options.preview_only)
        if not options.preview_only:
            session.resume(carrier)
        drift = refresh(carrier)
        if drift and options.expect_no_changes:
            session.journal.fail(f"no changes were expected, but {drift} resources are other than the state says")
        return _conclude(session, options, carrier, carrier.state.outputs if options.preview_only else None)


def tear_down(options: Namespace) -> int:
    with locked(options.state):
        session = open_session(options, declared=False)
        session.console.line(BANNER.format(stack=options.stack))
        carrier = session.carrier(options, preview=False)
        session.resume(carrier)
        spared = destroy(carrier, exclude_protected=options.exclude_protected, targets=_targets(options))
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
        _print(_digest(session, options, carrier).document(session.config.values, session.config.secret_keys))
    else:
        how = "interrupted" if session.halt.interrupted else "failed" if journal.failed else "succeeded"
        _print(result.summary_json(how, journal, outputs, redactor))
    if options.result:
        saved = session.store.load() if is_preview else carrier.state
        plan = result.planned(journal.operations, outputs, carrier.made_up_ids) if is_preview else None
        document = result.conformance(journal.operations, journal.changes(), saved.all, saved.outputs, plan)
        _write(options.result, document if session.config.clear else redactor.value(document))
    if not is_preview:
        _remember(session, options)
    if session.halt.interrupted:
        return 128 + session.halt.signal
    return 1 if journal.failed else 0


def _digest(session: Session, options: Namespace, carrier: Carrier) -> Digest:
    ids = {urn: one.id for urn, one in carrier.state.resources.items() if one.is_provider}
    shown = Shown(options.show_sames, options.show_replacement_steps)
    return Digest(session.journal, session.redactor, ids, time.perf_counter() - options.began, shown)


def _remember(session: Session, options: Namespace) -> None:
    message, environment = history.git_facts(session.project.folder)
    config = history.Settings(session.config.values, frozenset(session.config.secret_keys))
    facts = {
        "message": options.message or message,
        "environment": environment,
        "config": config.recorded(session.redactor),
        "resourceChanges": session.journal.summary(),
    }
    ok = not session.journal.failed and not session.halt.interrupted
    history.append(options.state, options.verb, ok=ok, began=options.began_at, facts=facts)


def past(options: Namespace) -> int:
    """Needs no passphrase: it holds no secrets."""
    found = history.newest_first(options.state)
    if options.json:
        _print(found)
        return 0
    for one in found:
        changes = ", ".join(f"{count} {op}" for op, count in one["resourceChanges"].items())
        head = one["environment"].get("git.head", "")[:12]
        _say(f"{one['version']:>4} {one['startTime']} {one['kind']} {one['result']} ({changes}) {head}", sys.stdout)
    return 0


def outputs(options: Namespace) -> int:
    """Needs no passphrase while what is secret stays hidden."""
    if options.show_secrets:
        session = open_session(options, preview=True, declared=False)
        found = plain_values(session.store.load().outputs)
    else:
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


VERBS: dict[str, tuple[Verb, str]] = {
    "preview": (preview, "say what `up` would do; changes nothing"),
    "up": (up, "make what the program declares"),
    "refresh": (look, "read what is outside into the state; commands cannot be read"),
    "destroy": (tear_down, "delete what the state has"),
    "outputs": (outputs, "print the stack's outputs"),
    "history": (past, "print what was done to the stack, newest first"),
    "encrypt": (encrypt, "read a value on stdin and write it into the stack's settings, encrypted"),
}

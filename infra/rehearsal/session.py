"""Puts one run of the command line together: project, settings, state, providers, and who listens."""

import contextlib
import importlib
import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.rehearsal import crypto, safety
from infra.rehearsal.analyzer import StackFacts
from infra.rehearsal.api import key_file
from infra.rehearsal.carry import Carrier, Saver, Unsaved
from infra.rehearsal.console import Console
from infra.rehearsal.halt import Halt
from infra.rehearsal.interrupt import Interrupts
from infra.rehearsal.journal import Journal
from infra.rehearsal.lines import Lines
from infra.rehearsal.neighbours import outputs_beside
from infra.rehearsal.policies import Policies, running
from infra.rehearsal.project import FILE, Project, ProjectError, read_project
from infra.rehearsal.providers.base import Provider
from infra.rehearsal.providers.command import Command
from infra.rehearsal.providers.process import Processes, end_orphan
from infra.rehearsal.providers.stacks import OutputsOf
from infra.rehearsal.redact import Redactor
from infra.rehearsal.stack_config import ConfigError, StackConfig, read_stack_config
from infra.rehearsal.state import State
from infra.rehearsal.store import StateError, Store, read_document

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Session:
    project: Project
    config: StackConfig
    surroundings: safety.Surroundings
    store: Store
    console: Console
    journal: Journal
    halt: Halt
    redactor: Redactor
    processes: Processes = field(default_factory=Processes)

    def carrier(self, options: Namespace, *, preview: bool) -> Carrier:
        """With the state loaded; the caller holds the lock unless it is a preview."""
        saver: Saver = Unsaved() if preview else self.store
        state = self.store.load()
        _check_owner(options.state, state, options.stack, self.project.name)
        Interrupts(self.halt, self.processes).install()
        self.console.start()
        return Carrier(
            state, self._providers(), self.journal, self.halt, self.redactor, saver, preview, options.parallel
        )

    def _providers(self) -> Mapping[str, Provider]:
        from infra.rehearsal.providers.cloudflare.provider import Cloudflare

        command = Command(self.project.program, self.surroundings.commands, self.processes)
        return {"command": command, "cloudflare": Cloudflare(self.surroundings.cloud)}

    @contextlib.contextmanager
    def hearing(self) -> Iterator[None]:
        """What the program prints is told line by line, like what it logs."""
        with (
            contextlib.closing(Lines(lambda line: self.journal.log("info", line))) as lines,
            contextlib.redirect_stdout(lines),
            contextlib.redirect_stderr(lines),
        ):
            yield

    @contextlib.contextmanager
    def policies(self, options: Namespace, *, preview: bool) -> Iterator[Policies]:
        """The policy packs of this run; they see what the program sees. Raises AnalyzerError."""
        if not options.policy_pack:
            yield Policies([], self.journal, preview)
            return
        from infra.rehearsal.program import ORGANIZATION

        facts = StackFacts(
            self.project.name,
            options.stack,
            ORGANIZATION,
            self.config.values,
            frozenset(self.config.secret_keys),
            preview,
        )
        with running(options.policy_pack, facts, self.surroundings.commands, self._tell, self.journal) as policies:
            yield policies

    def _tell(self, line: str) -> None:
        self.journal.log("info", line)

    def outputs_of(self, options: Namespace) -> OutputsOf:
        """For references to other stacks of this machine."""

        def load(path: Path) -> State:
            return _store(path, self.config, self.redactor, self.surroundings.passphrase).load()

        return outputs_beside(options.state, self.project.name, options.stack, load)

    def resume(self, carrier: Carrier) -> None:
        """Says what a killed run left under way, and ends the commands that outlived it. Only with the state locked."""
        for urn, pending in carrier.state.pending.items():
            name = urn.rpartition("::")[2]
            self.console.line(f"resuming: an earlier run was stopped while {pending.operation} {name}")
            if end_orphan(pending.group, pending.group_started):
                self.console.line(f"  its command still ran and was stopped (process group {pending.group})")


def _check_owner(path: Path, state: State, stack: str, project: str) -> None:
    """Raises StateError for another stack's state: all that it has would be taken for unwanted, and deleted."""
    own = f"urn:pulumi:{stack}::{project}::"
    if foreign := next((one.urn for one in state.all if not one.urn.startswith(own)), None):
        raise StateError(
            f"{path} is not the state of stack {stack!r} of {project!r}: it has {foreign}; name the right one"
        )


def open_session(options: Namespace, *, preview: bool = False, declared: bool = True) -> Session:
    """Raises the errors of projects, settings, secrets and unsafe addresses."""
    project = find_project(options)
    surroundings = safety.surroundings(os.environ, options.env_file)
    config = _config(options, project if declared else replace(project, declared=()), surroundings.passphrase)
    if not preview:
        safety.check_addresses(config.values)
    redactor = Redactor()
    redactor.add(*config.secrets, *surroundings.secrets)
    console = Console(redactor, preview, options.stream)
    store = _store(options.state, config, redactor, surroundings.passphrase)
    _become(surroundings.commands)
    halt = Halt(options.continue_on_error)
    return Session(project, config, surroundings, store, console, Journal(console), halt, redactor)


def find_project(options: Namespace) -> Project:
    """The program's own Pulumi.yaml if it has one, else the repository's."""
    if options.program is None:
        folder = ROOT
    else:
        folder = options.program.resolve()
        if not folder.is_dir():
            raise ProjectError(f"--program {options.program}: no such folder; name the one with __main__.py or {FILE}")
    if (folder / FILE).exists():
        project = read_project(folder)
    elif (ROOT / FILE).exists():
        project = replace(read_project(ROOT), program=folder)
    else:
        raise ProjectError(f"no {FILE} in {folder} or {ROOT}; a program needs one with its `name`")
    if options.project:
        project = replace(project, name=options.project)
    if not (project.program / "__main__.py").exists():
        raise ProjectError(f"{project.program} has no __main__.py; check `main` in {project.folder / FILE}")
    return project


def _config(options: Namespace, project: Project, passphrase: Mapping[str, str]) -> StackConfig:
    path = options.config or ROOT / f"Pulumi.{options.stack}.yaml"
    if not path.exists() and options.config is None:
        raise ConfigError(f"no settings for stack {options.stack!r}: {path} does not exist; name another with --config")
    return read_stack_config(path, project, options.stack, passphrase)


def _store(path: Path, config: StackConfig, redactor: Redactor, passphrase: Mapping[str, str]) -> Store:
    """Reads with the key the state was written with, writes with the stack's own."""
    writer = config.crypter or crypto.from_key_file(key_file(path))
    document = read_document(path)
    written_with = str((document or {}).get("encryptionsalt") or "")
    if document is None or written_with == config.salt:
        reader = writer
    elif written_with:
        reader = crypto.from_passphrase(crypto.passphrase(passphrase), written_with)
    else:
        reader = crypto.from_key_file(key_file(path))
    return Store(path, writer, config.salt, redactor, reader)


def _become(environment: Mapping[str, str]) -> None:
    """The program sees what commands see: no credentials but those given for the rehearsal."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def ahead(module: str) -> Callable[[], None]:
    """Imports a module in the background, while keys are derived; the answer waits for it."""
    thread = threading.Thread(target=importlib.import_module, args=(module,), daemon=True)
    thread.start()
    return thread.join

"""The rehearsal as a library: applies a program in this process, on injected providers, and tells what it declared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.rehearsal.carry import Carrier, Saver, Unsaved
from infra.rehearsal.crypto import from_key_file
from infra.rehearsal.deletions import destroy
from infra.rehearsal.deployment import Deployment
from infra.rehearsal.halt import Halt
from infra.rehearsal.journal import Diagnostic, Journal, Listener, Operation
from infra.rehearsal.providers.base import Provider
from infra.rehearsal.providers.stacks import OutputsOf, no_stacks
from infra.rehearsal.redact import Redactor
from infra.rehearsal.refresh import refresh
from infra.rehearsal.resource import Resource
from infra.rehearsal.stack_config import StackConfig
from infra.rehearsal.state import State
from infra.rehearsal.store import Store
from infra.rehearsal.targets import Targets
from infra.rehearsal.values import Values


@dataclass(frozen=True)
class Result:
    """`resources` is the state afterwards (in a preview: as it would be); secrets in it carry Pulumi's marks."""

    succeeded: bool
    resources: list[Resource]
    outputs: Values
    operations: list[Operation]
    changes: dict[str, str | list[str]]
    diagnostics: list[Diagnostic] = field(default_factory=list)
    made_up_ids: frozenset[str] = frozenset()

    def find(self, name: str, type_: str = "") -> Resource:
        """The one resource with this name (and type). Raises LookupError, naming those there are."""
        found = [one for one in self.resources if one.name == name and one.type.endswith(type_)]
        if len(found) != 1:
            known = ", ".join(sorted(f"{one.type} {one.name}" for one in self.resources))
            raise LookupError(f"{len(found)} resources are called {name!r}; there are: {known}")
        return found[0]


def run(
    program: Path | Callable[[], None],
    *,
    providers: Mapping[str, Provider],
    config: Mapping[str, str] | None = None,
    secret_keys: frozenset[str] = frozenset(),
    project: str = "project",
    stack: str = "test",
    state: Path | None = None,
    preview: bool = False,
    continue_on_error: bool = False,
    parallel: int = 8,
    listener: Listener | None = None,
    targets: Targets | None = None,
    outputs_of: OutputsOf = no_stacks,
) -> Result:
    """Applies the program (a folder with `__main__.py`, or a function that declares resources).

    `config` has `namespace:key` names. Without `state` nothing is kept. May be called where an event loop runs.
    """
    from infra.rehearsal.program import in_own_thread, run_program

    redactor = Redactor()
    saver, before = _opened(state, redactor)
    halt, journal = Halt(continue_on_error), Journal(listener)
    carrier = Carrier(before, providers, journal, halt, redactor, saver, preview, parallel)
    settings = StackConfig(dict(config or {}), secret_keys)
    deployment = Deployment(project, stack, carrier, settings)
    deployment.targets, deployment.outputs_of = targets or Targets(), outputs_of
    redactor.add(*settings.secrets)

    def work() -> None:
        folder = program if isinstance(program, Path) else Path.cwd()
        error = run_program(program, deployment, settings, folder)
        if error:
            journal.fail(error.message)
        deployment.finish(program_failed=error is not None)

    in_own_thread(work)
    return _result(carrier, deployment.planned_outputs if preview else carrier.state.outputs)


def tear_down(
    *,
    state: Path,
    providers: Mapping[str, Provider],
    exclude_protected: bool = False,
    targets: Targets | None = None,
) -> Result:
    """Deletes what the state has."""
    redactor = Redactor()
    saver, before = _opened(state, redactor)
    carrier = Carrier(before, providers, Journal(), Halt(), redactor, saver)
    destroy(carrier, exclude_protected=exclude_protected, targets=targets)
    return _result(carrier, carrier.state.outputs)


def look_again(*, state: Path, providers: Mapping[str, Provider], preview: bool = False) -> Result:
    """Refreshes the state from what is outside."""
    redactor = Redactor()
    saver, before = _opened(state, redactor)
    carrier = Carrier(before, providers, Journal(), Halt(), redactor, saver, preview)
    refresh(carrier)
    return _result(carrier, carrier.state.outputs)


def _opened(state: Path | None, redactor: Redactor) -> tuple[Saver, State]:
    if state is None:
        return Unsaved(), State()
    store = Store(state, from_key_file(key_file(state)), "", redactor)
    return store, store.load()


def key_file(state: Path) -> Path:
    """Where the key of a state lies whose stack has no passphrase."""
    return state.with_name(state.name + ".key")


def _result(carrier: Carrier, outputs: Values) -> Result:
    journal = carrier.journal
    return Result(
        succeeded=not journal.failed,
        resources=[one for one in carrier.state.resources.values() if not one.is_default_provider],
        outputs=outputs,
        operations=journal.operations,
        changes=journal.changes(),
        diagnostics=journal.diagnostics,
        made_up_ids=frozenset(carrier.made_up_ids),
    )

"""Runs single operations: in a slot, noted as pending before and in the journal throughout, with the program's hooks.

The state is saved before an operation begins (as pending) and when it ended, so that a kill at any point is known of.
"""

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from infra.rehearsal.duration import seconds
from infra.rehearsal.halt import Halt, HaltedError
from infra.rehearsal.journal import Journal, Operation
from infra.rehearsal.providers.base import Call, Provider, ProviderError
from infra.rehearsal.providers.settings import SettingsProvider
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.state import Pending, State

T = TypeVar("T")


class FailedError(RuntimeError):
    """An operation failed and is in the journal."""


class HookError(RuntimeError):
    """A hook failed or is not known; the message names it."""


class Hooks(Protocol):
    """The program's functions around operations."""

    def run(self, moment: str, resource: Resource, old: Resource | None) -> None: ...


def unregistered(name: str) -> HookError:
    return HookError(
        f"the resource hook {name!r} is not registered: this run does not execute the program, or the program does not "
        "have it any more; put the hook back and run `up`"
    )


class Saver(Protocol):
    def save(self, state: State) -> None: ...


class Unsaved:
    """For previews and tests: the state stays in memory."""

    def save(self, state: State) -> None:
        """Nothing is kept."""


@dataclass
class Performer:
    """`lock` guards the state; operations run outside of it, at most `parallel` at once."""

    state: State
    providers: Mapping[str, Provider]
    journal: Journal
    halt: Halt
    redactor: Redactor = field(default_factory=Redactor)
    saver: Saver = field(default_factory=Unsaved)
    preview: bool = False
    parallel: int = 8
    lock: threading.RLock = field(default_factory=threading.RLock)
    made_up_ids: set[str] = field(default_factory=set)
    hooks: Hooks | None = None

    def __post_init__(self) -> None:
        self._slots = threading.BoundedSemaphore(max(1, self.parallel))
        self._resumed = set(self.state.pending)
        self._settings = SettingsProvider()

    def provider(self, resource: Resource) -> Provider:
        """Raises ProviderError if nobody here makes such a resource."""
        if resource.is_provider:
            return self._settings
        package = resource.type.split(":", 1)[0]
        if (found := self.providers.get(package)) is None:
            known = ", ".join(sorted(self.providers)) or "none"
            raise ProviderError(
                f"a rehearsal cannot make a {resource.type}: it has no provider {package!r} (it has {known})"
            )
        return found

    def is_unsettled(self, urn: str) -> bool:
        """Whether an earlier run began something with it and did not see the end."""
        return urn in self._resumed

    def exists(self, resource: Resource, lost: frozenset[str]) -> bool:
        """Whether it still is where the state says; `lost` are the URNs found gone. Raises ProviderError."""
        call = self._call(Operation("read", resource, resource), "reading")
        return self.provider(resource).exists(replace(call, lost=lost & {*resource.dependencies}))

    def look(self, operation: Operation, work: Callable[[Call], None], conclude: Callable[[], None]) -> None:
        """Runs an operation that changes nothing outside. Raises HaltedError or FailedError."""

        def looked(call: Call) -> None:
            work(call)
            conclude()

        self._perform(operation, "reading", looked)

    def _perform(self, operation: Operation, pending: str, work: Callable[[Call], T], *, regardless: bool = False) -> T:
        """Runs one operation in a slot. Raises HaltedError if it may not begin, FailedError if it fails."""
        with self._slots:
            if self.halt.interrupted or (self.halt.nothing_new and not regardless):
                raise HaltedError(f"{operation.op} of {operation.resource.name} was not begun")
            self.journal.begin(operation)
            self._note_pending(operation, pending)
            try:
                result = work(self._call(operation, pending))
            except ProviderError as error:
                self._fail(operation, str(error), uncertain=error.uncertain, stops=error.stops)
                raise FailedError(str(error)) from error
            except Exception as error:
                message = f"internal error: {type(error).__name__}: {error}, at {_where(error)}"
                self._fail(operation, message, uncertain=True, stops=True)
                raise FailedError(message) from error
            self.journal.end(operation)
            return result

    def before(self, moment: str, resource: Resource, old: Resource | None = None) -> None:
        """Runs the program's hooks. Raises ProviderError if one fails: then nothing is done."""
        try:
            self._run_hooks(moment, resource, old)
        except HookError as error:
            raise ProviderError(str(error)) from error

    def after(self, moment: str, resource: Resource, old: Resource | None = None) -> None:
        """Runs the program's hooks; if one fails, what was done stays and the run fails."""
        try:
            self._run_hooks(moment, resource, old)
        except HookError as error:
            self.halt.fail()
            self.journal.fail(str(error), resource.urn)

    def _run_hooks(self, moment: str, resource: Resource, old: Resource | None) -> None:
        if not (names := resource.hooks.get(moment)):
            return
        if self.hooks is None:
            raise unregistered(names[0])
        self.hooks.run(moment, resource, old)

    def _fail(self, operation: Operation, message: str, *, uncertain: bool, stops: bool) -> None:
        if stops:
            self.halt.fail()
        self.journal.end(operation, message)
        self.journal.fail(message, operation.urn)
        if not uncertain and not self.preview:
            with self.lock:
                self.state.pending.pop(operation.urn, None)
                self._save()

    def _note_pending(self, operation: Operation, pending: str, group: int = 0, started: str = "") -> None:
        if self.preview or not operation.resource.custom or operation.resource.external or pending == "reading":
            return
        with self.lock:
            self.state.pending[operation.urn] = Pending(pending, operation.resource.type, group, started)
            self._save()

    def _call(self, operation: Operation, pending: str) -> Call:
        resource = operation.resource
        limit = resource.timeouts.get({"creating": "create", "updating": "update"}.get(pending, "delete"), "")
        with self.lock:
            settings = self.state.resources.get(resource.provider)
        return Call(
            resource=resource,
            inputs=resource.inputs,
            config=settings.inputs if settings else {},
            old=operation.old,
            resumed=resource.urn in self._resumed,
            timeout=seconds(limit) if limit else None,
            say=lambda line: self.journal.say(resource.urn, line),
            started=lambda group, began: self._note_pending(operation, pending, group, began),
        )

    def _save(self) -> None:
        if not self.preview:
            self.saver.save(self.state)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"

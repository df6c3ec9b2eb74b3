"""Carries out single operations: through a provider, into the state, into the journal.

The state is saved before an operation begins (as pending) and when it ended, so that a kill at any point is known of.
"""

import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from infra.rehearsal.diff import Changes
from infra.rehearsal.duration import seconds
from infra.rehearsal.halt import Halt, HaltedError
from infra.rehearsal.journal import Journal, Operation
from infra.rehearsal.providers.base import Call, Made, Provider, ProviderError
from infra.rehearsal.providers.settings import SettingsProvider
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.state import Pending, State
from infra.rehearsal.values import Values, secret, secret_texts

T = TypeVar("T")


class FailedError(RuntimeError):
    """An operation failed and is in the journal."""


class ProtectedError(ProviderError):
    """A deletion that protection forbids: nothing was attempted, so other deletions go on."""

    stops = False


class Saver(Protocol):
    def save(self, state: State) -> None: ...


class Unsaved:
    """For previews and tests: the state stays in memory."""

    def save(self, state: State) -> None:
        """Nothing is kept."""


@dataclass
class Carrier:
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

    def ensure(self, new: Resource) -> None:
        """A default provider: nothing is outside of the state, so there is nothing to wait for."""
        with self.lock:
            old = self.state.resources.get(new.urn)
            new.id = old.id if old else str(uuid.uuid4())
            op = "create" if old is None else "same" if old.inputs == new.inputs else "update"
            self.journal.note(Operation(op, new, old))
            if op != "same":
                self._put(new)

    def same(self, old: Resource, new: Resource) -> None:
        new.id, new.outputs = old.id, old.outputs
        self._mark_secrets(new)
        self.journal.note(Operation("same", new, old))
        with self.lock:
            changed = new != self.state.resources.get(new.urn)
            self.state.resources[new.urn] = new
            if changed:
                self._save()

    def create(self, new: Resource, note: str = "") -> None:
        self._make(Operation("create", new, note=note), "creating")

    def rename(self, former: str, urn: str) -> None:
        """Takes over a resource under its new name."""
        with self.lock:
            self.state.rename(former, urn)
            self._save()

    def set_outputs(self, resource: Resource, outputs: Values) -> None:
        """For components and the stack, whose outputs come after they are made."""
        with self.lock:
            if resource.outputs != outputs:
                resource.outputs = outputs
                self._save()

    def update(self, old: Resource, new: Resource, changes: Changes) -> None:
        new.id = old.id
        operation = Operation("update", new, old, changes)
        if not new.custom:
            new.outputs = old.outputs
            self.journal.note(operation)
            self._put(new)
            return

        def work(call: Call) -> Values:
            provider = self.provider(new)
            return provider.plan(call).outputs if self.preview else provider.update(call)

        new.outputs = self._perform(operation, "updating", work)
        self._mark_secrets(new)
        self._put(new)

    def replace(self, old: Resource, new: Resource, changes: Changes) -> None:
        """The new one first; the old one stays in the state until deletions begin."""
        operation = Operation("create-replacement", new, old, changes)

        def aside() -> None:
            old.delete = True
            self.state.replaced.append(old)

        self._make(operation, "creating", aside)
        self.journal.note(Operation("replace", new, old, changes))

    def replace_deleted(self, old: Resource, new: Resource, changes: Changes) -> None:
        """The old one is gone already."""
        self.journal.note(Operation("replace", new, old, changes))
        self._make(Operation("create-replacement", new, old, changes), "creating")

    def delete_first(self, old: Resource, deleted: set[str]) -> None:
        """Deletes what is going to be made anew; the state keeps it, marked, until it is."""
        self._perform(Operation("delete-replaced", old, old), "deleting", lambda call: self._remove(call, deleted))
        with self.lock:
            old.pending_replacement = True
            self.state.pending.pop(old.urn, None)
            self._save()

    def delete(self, old: Resource, deleted: set[str]) -> None:
        """Takes it out of the world and out of the state. Protection holds unless it was replaced."""
        operation = Operation("delete-replaced" if old.delete else "delete", old, old, note=_why_kept(old, deleted))

        def work(call: Call) -> None:
            if old.protect and not old.delete:
                raise ProtectedError(
                    f"{old.name} cannot be deleted because it is protected; remove `protect` from it in the program "
                    "and apply that first, or leave protected resources out with --exclude-protected"
                )
            self._remove(call, deleted)

        self._perform(operation, "deleting", work, regardless=True)
        self._drop(old)

    def forget_pending(self, old: Resource) -> None:
        """A resource that was deleted for a replacement that nobody wants any more."""
        self.journal.note(Operation("remove-pending-replace", old, old))
        self._drop(old)

    def _drop(self, old: Resource) -> None:
        with self.lock:
            if old.delete:
                self.state.replaced = [one for one in self.state.replaced if one is not old]
            else:
                self.state.resources.pop(old.urn, None)
            self.state.pending.pop(old.urn, None)
            self._save()

    def _remove(self, call: Call, deleted: set[str]) -> None:
        old = call.resource
        if self.preview or not old.custom or _why_kept(old, deleted):
            return
        self.provider(old).delete(call)

    def _make(self, operation: Operation, pending: str, first: Callable[[], None] | None = None) -> None:
        new = operation.resource

        def work(call: Call) -> Made:
            provider = self.provider(new)
            return provider.plan(call) if self.preview else provider.create(call)

        if new.custom:
            made = self._perform(operation, pending, work)
            new.id, new.outputs = made.id, made.outputs
            if made.made_up:
                self.made_up_ids.add(made.id)
        else:
            self.journal.note(operation)
        self._mark_secrets(new)
        with self.lock:
            if first:
                first()
            self._put(new)

    def _put(self, new: Resource) -> None:
        with self.lock:
            self.state.resources[new.urn] = new
            self.state.pending.pop(new.urn, None)
            self._save()

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
        if self.preview or not operation.resource.custom:
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

    def exists(self, resource: Resource, lost: frozenset[str]) -> bool:
        """Whether it still is where the state says; `lost` are the URNs found gone. Raises ProviderError."""
        call = self._call(Operation("read", resource, resource), "reading")
        return self.provider(resource).exists(replace(call, lost=lost & {*resource.dependencies}))

    def _mark_secrets(self, new: Resource) -> None:
        for key in new.additional_secret_outputs:
            if key in new.outputs:
                new.outputs = {**new.outputs, key: secret(new.outputs[key])}
        self.redactor.add(*secret_texts(new.outputs), *secret_texts(new.inputs))

    def _save(self) -> None:
        if not self.preview:
            self.saver.save(self.state)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def _why_kept(old: Resource, deleted: set[str]) -> str:
    if old.retain_on_delete:
        return "left in place: retain_on_delete"
    if old.deleted_with and old.deleted_with in deleted:
        return f"goes with {old.deleted_with.rpartition('::')[2]}"
    return ""

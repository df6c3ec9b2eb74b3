"""What can be done to a resource: through its provider, into the state, into the journal."""

import uuid
from collections.abc import Callable

from infra.rehearsal.diff import Changes
from infra.rehearsal.journal import Operation
from infra.rehearsal.perform import FailedError, Performer, Saver, Unsaved
from infra.rehearsal.providers.base import Call, Made, ProviderError
from infra.rehearsal.providers.stacks import TYPE as STACK_REFERENCE
from infra.rehearsal.providers.stacks import OutputsOf, read_stack
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values, is_secret, secret, secret_texts

__all__ = ["Carrier", "FailedError", "ProtectedError", "Saver", "Unsaved"]


class ProtectedError(ProviderError):
    """A deletion that protection forbids: nothing was attempted, so other deletions go on."""

    stops = False


class Carrier(Performer):
    """One method for each kind of step the engine has."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._without_outputs: dict[str, tuple[str, Resource | None]] = {}

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

    def read(self, old: Resource | None, new: Resource, outputs_of: OutputsOf) -> None:
        """One that this stack made gives way to what is read instead, unless it is the same."""
        gives_way = old is not None and not old.external and old.id != new.id

        def work(call: Call) -> Values:
            if new.type == STACK_REFERENCE:
                return read_stack(new.inputs.get("name"), outputs_of)
            if new.type.split(":", 1)[0] == "command":
                return dict(new.inputs)
            raise ProviderError(f"a rehearsal cannot read an existing {new.type} (a `get`)")

        operation = Operation("read-replacement" if gives_way else "read", new, old)
        new.outputs = self._perform(operation, "reading", work)
        self._mark_secrets(new)
        with self.lock:
            if old is not None and gives_way:
                old.delete = True
                self.state.replaced.append(old)
            self._put(new)
        if gives_way:
            self.journal.note(Operation("replace", new, old))

    def adopt(self, new: Resource) -> None:
        """Puts into the state what was found outside."""
        self._mark_secrets(new)
        self._put(new)

    def forget_gone(self, old: Resource) -> None:
        """Takes out of the state what is no longer there."""
        with self.lock:
            self.state.forget(old.urn)
            self._save()

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
            moment, old = self._without_outputs.pop(resource.urn, ("", None))
        if moment:
            self.after(moment, resource, old)

    def update(self, old: Resource, new: Resource, changes: Changes) -> None:
        new.id = old.id

        def work(call: Call) -> Values:
            self.before("before_update", new, old)
            if not new.custom:
                return {}
            provider = self.provider(new)
            return provider.plan(call).outputs if self.preview else provider.update(call)

        new.outputs = self._perform(Operation("update", new, old, changes), "updating", work)
        self._mark_secrets(new)
        self._put(new)
        self._then("after_update", new, old)

    def replace(self, old: Resource, new: Resource, changes: Changes) -> None:
        """The new one first; the old one stays in the state until deletions begin."""
        operation = Operation("create-replacement", new, old, changes)

        def aside() -> None:
            old.delete, old.pending_replacement = True, False
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
        self.after("after_delete", old, old)

    def delete(self, old: Resource, deleted: set[str]) -> None:
        """Takes it out of the world and out of the state. Protection holds unless it was replaced."""
        operation = Operation(_deletion(old), old, old, note=_why_kept(old, deleted))

        def work(call: Call) -> None:
            if old.protect and not old.delete:
                raise ProtectedError(
                    f"{old.name} cannot be deleted because it is protected; remove `protect` from it in the program "
                    "and apply that first, or leave protected resources out with --exclude-protected"
                )
            self._remove(call, deleted)

        self._perform(operation, "deleting", work, regardless=True)
        self._drop(old)
        self.after("after_delete", old, old)

    def forget_pending(self, old: Resource) -> None:
        """A resource that was deleted for a replacement that nobody wants any more."""
        self.journal.note(Operation("remove-pending-replace", old, old))
        self._drop(old)

    def _drop(self, old: Resource) -> None:
        with self.lock:
            if old.delete:
                self.state.replaced = [one for one in self.state.replaced if one is not old]
            else:
                self.state.forget(old.urn)
            self.state.pending.pop(old.urn, None)
            self._save()

    def _remove(self, call: Call, deleted: set[str]) -> None:
        old = call.resource
        self.before("before_delete", old, old)
        if self.preview or not old.custom or _why_kept(old, deleted):
            return
        self.provider(old).delete(call)

    def _make(self, operation: Operation, pending: str, first: Callable[[], None] | None = None) -> None:
        new = operation.resource

        def work(call: Call) -> Made:
            self.before("before_create", new)
            if not new.custom:
                return Made("", {})
            provider = self.provider(new)
            return provider.plan(call) if self.preview else provider.create(call)

        made = self._perform(operation, pending, work)
        new.id, new.outputs = made.id, made.outputs
        if made.made_up:
            self.made_up_ids.add(made.id)
        self._mark_secrets(new)
        with self.lock:
            if first:
                first()
            self._put(new)
        self._then("after_create", new, None)

    def _then(self, moment: str, new: Resource, old: Resource | None) -> None:
        """Hooks after a component was made wait for its outputs."""
        if new.custom:
            self.after(moment, new, old)
        elif new.hooks:
            self._without_outputs[new.urn] = (moment, old)

    def _put(self, new: Resource) -> None:
        with self.lock:
            self.state.resources[new.urn] = new
            self.state.pending.pop(new.urn, None)
            self._save()

    def _mark_secrets(self, new: Resource) -> None:
        """Named outputs, and those that repeat a secret input. Source: step_executor.go, continueExecuteStep."""
        repeated = {key for key, value in new.inputs.items() if is_secret(value)}
        hidden = ({*new.additional_secret_outputs} - {"id"} | repeated) & new.outputs.keys()
        if "id" in new.additional_secret_outputs:
            self.journal.warn("the 'id' property cannot be made secret", new.urn)
        new.outputs = {key: secret(value) if key in hidden else value for key, value in new.outputs.items()}
        self.redactor.add(*secret_texts(new.outputs), *secret_texts(new.inputs))


def _deletion(old: Resource) -> str:
    if old.external:
        return "discard-replaced" if old.delete else "read-discard"
    return "delete-replaced" if old.delete else "delete"


def _why_kept(old: Resource, deleted: set[str]) -> str:
    if old.external:
        return "left in place: it was read, not made"
    if old.retain_on_delete:
        return "left in place: retain_on_delete"
    if old.deleted_with and old.deleted_with in deleted:
        return f"goes with {old.deleted_with.rpartition('::')[2]}"
    return ""

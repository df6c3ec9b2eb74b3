"""One run of a program: answers each registration with what was done for it, then deletes what is no longer wanted."""

import threading
from dataclasses import dataclass, field, replace

from infra.rehearsal import urns
from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.decide import Circumstances, Decision, Kind, decide
from infra.rehearsal.deletions import delete_in_levels
from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.duration import seconds
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.levels import dependents
from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.resource import Goal, Resource, wanted
from infra.rehearsal.stack_config import StackConfig
from infra.rehearsal.values import UNKNOWN, Values, is_unknown, secret_texts


@dataclass(frozen=True)
class Answer:
    """`done` is False where nothing was done; the program then goes on with unknown outputs."""

    urn: str
    id: str = ""
    outputs: Values = field(default_factory=dict)
    done: bool = True


class RefusedError(RuntimeError):
    """A registration that cannot be carried out; the message says why."""


class Deployment:
    """Registrations come from several threads. What is decided is decided under the carrier's lock, one by one."""

    def __init__(self, project: str, stack: str, carrier: Carrier, config: StackConfig | None = None) -> None:
        """`config` gives default providers their settings: those in a package's own namespace."""
        self.project, self.stack, self.carrier = project, stack, carrier
        self._config = config or StackConfig()
        self.planned_outputs: Values = {}
        self._stack_outputs: Values | None = None
        self._seen: set[str] = set()
        self._former: dict[str, str] = {}
        self._replaced: set[str] = set()
        self._lost: set[str] = set()
        self._deleted: dict[str, threading.Event] = {}
        self._broken: set[str] = set()

    def register(self, goal: Goal) -> Answer:
        urn = urns.make(self.stack, self.project, goal.parent, goal.type, goal.name)
        self.carrier.redactor.add(*secret_texts(goal.inputs))
        try:
            return self._register(urn, goal)
        except (HaltedError, FailedError):
            self._broken.add(urn)
        except (RefusedError, ProviderError, ValueError) as error:
            self.refuse(urn, str(error))
        return Answer(urn, done=False)

    def refuse(self, urn: str, message: str) -> None:
        """Records an error that is about a registration and not about an operation."""
        self._broken.add(urn)
        self.carrier.halt.fail()
        self.carrier.journal.fail(message, urn)

    def _register(self, urn: str, goal: Goal) -> Answer:
        carrier = self.carrier
        with carrier.lock:
            if carrier.halt.nothing_new:
                raise HaltedError(urn)
            self._check_needs(urn, goal)
            if urn in self._seen:
                raise RefusedError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
            self._seen.add(urn)
            if goal.custom and not goal.provider and not goal.type.startswith(urns.PROVIDER_TYPES):
                goal = replace(goal, provider=self._default_provider(goal))
            old = self._adopt(urn, goal)
        for limit in goal.timeouts.values():
            seconds(limit)
        new = wanted(urn, goal)
        if goal.custom:
            goal = replace(goal, inputs=carrier.provider(new).check(goal.inputs))
        lost = old is not None and self._is_lost(old, new)
        with carrier.lock:
            decision = self._decide(old, new, goal, lost)
            condemned = self._condemn(old) if old and decision.delete_first and not decision.already_deleted else []
        new.inputs = decision.inputs
        self._carry_out(old, new, decision, condemned, lost)
        return Answer(urn, new.id, new.outputs)

    def _default_provider(self, goal: Goal) -> str:
        package, name = goal.type.split(":", 1)[0], f"default_{goal.version}" if goal.version else "default"
        name = name.replace(".", "_")
        urn = urns.make(self.stack, self.project, "", f"{urns.PROVIDER_TYPES}{package}", name)
        if urn not in self._seen:
            self._seen.add(urn)
            inputs = self._config.of_package(package)
            self.carrier.ensure(Resource(urn, urns.own_type(urn), name, custom=True, inputs=inputs, outputs=inputs))
        return urn

    def _check_needs(self, urn: str, goal: Goal) -> None:
        for needed in (goal.parent, goal.provider, *goal.dependencies):
            if needed in self._broken:
                self.carrier.journal.log("info", f"left out: it needs {urns.name(needed)}, which failed", urn)
                raise HaltedError(urn)

    def _adopt(self, urn: str, goal: Goal) -> Resource | None:
        """What the state has for it, under its name now or a former one; a former one is renamed."""
        resources = self.carrier.state.resources
        if urn in resources:
            return resources[urn]
        for former in urns.former(urn, goal.aliases, goal.parent, self._former.get(goal.parent, "")):
            if former in resources:
                if former in self._seen:
                    raise RefusedError(f"{urns.name(urn)} has the alias {former}, which the program still has as well")
                self.carrier.rename(former, urn)
                self._former[urn] = former
                return self.carrier.state.resources[urn]
        return None

    def _is_lost(self, old: Resource, new: Resource) -> bool:
        """Whether what the state has is gone from where it was."""
        if not old.custom or old.is_provider or old.pending_replacement or old.urn in self._deleted:
            return False
        try:
            gone = not self.carrier.exists(replace(old, provider=new.provider), frozenset(self._lost))
        except ProviderError as error:
            if not self.carrier.preview:
                raise
            self.carrier.journal.warn(f"not known whether it still exists: {error}", old.urn)
            return False
        if gone:
            self._lost.add(old.urn)
        return gone

    def _decide(self, old: Resource | None, new: Resource, goal: Goal, lost: bool) -> Decision:
        def diff(before: Resource, inputs: Values) -> Changes:
            if not before.custom:
                return Changes(compare(before.inputs, inputs))
            return self.carrier.provider(new).diff(before, inputs)

        known = Circumstances(
            deleted=new.urn in self._deleted,
            lost=lost,
            unsettled=new.custom and self.carrier.is_unsettled(new.urn),
            replaced=frozenset(self._replaced),
        )
        decision = decide(old, goal, diff, known)
        if decision.error:
            if not self.carrier.preview:
                raise RefusedError(decision.error)
            self.carrier.journal.fail(decision.error, new.urn)
        if decision.kind is Kind.REPLACE:
            self._replaced.add(new.urn)
        return decision

    def _condemn(self, root: Resource) -> list[Resource]:
        """The resource and those that must go before it, because they are replaced when its outputs change."""
        replaced = {root.urn}
        found = [root]
        for resource in dependents(root.urn, self.carrier.state.resources.values()):
            if resource.urn in self._seen or resource.urn in self._deleted or resource.pending_replacement:
                continue
            if self._must_be_replaced(resource, replaced):
                if resource.protect:
                    raise RefusedError(
                        f"unable to replace resource {resource.name!r} as part of replacing {root.name!r}: it is "
                        "protected; to replace both, remove `protect` from it in the program and apply that first"
                    )
                replaced.add(resource.urn)
                found.append(resource)
        for resource in found:
            self._deleted[resource.urn] = threading.Event()
        return found[::-1]

    def _must_be_replaced(self, resource: Resource, replaced: set[str]) -> bool:
        if not resource.custom:
            return False
        if resource.provider in replaced:
            return True
        touched = {key for key, needs in resource.property_dependencies.items() if replaced & {*needs}}
        if not touched & resource.inputs.keys():
            return False
        inputs: Values = {key: UNKNOWN if key in touched else value for key, value in resource.inputs.items()}
        changes = self.carrier.provider(resource).diff(resource, inputs)
        return changes.replacing(resource.replace_on_changes).replaces

    def _carry_out(
        self, old: Resource | None, new: Resource, decision: Decision, condemned: list[Resource], lost: bool
    ) -> None:
        carrier = self.carrier
        if old is None or decision.kind is Kind.CREATE:
            carrier.create(new, note="it was no longer there" if lost else "")
        elif decision.kind is Kind.SAME:
            carrier.same(old, new)
        elif decision.kind is Kind.UPDATE:
            carrier.update(old, new, decision.changes)
        elif decision.already_deleted:
            self._await_deletion(new.urn)
            carrier.replace_deleted(old, new, decision.changes)
        elif decision.delete_first:
            for resource in condemned:
                carrier.delete_first(resource, {one.urn for one in condemned})
                self._deleted[resource.urn].set()
            carrier.replace_deleted(old, new, decision.changes)
        else:
            carrier.replace(old, new, decision.changes)

    def _await_deletion(self, urn: str) -> None:
        if event := self._deleted.get(urn):
            while not event.wait(0.05):
                if self.carrier.halt.nothing_new:
                    raise HaltedError(urn)

    def register_outputs(self, urn: str, outputs: Values) -> None:
        """What a component, or the stack, says its outputs are. Comes too late after a failure."""
        carrier = self.carrier
        carrier.redactor.add(*secret_texts(outputs))
        with carrier.lock:
            resource = carrier.state.resources.get(urn)
            if resource is None or carrier.halt.nothing_new:
                return
            if resource.is_stack:
                self._stack_outputs = outputs
            else:
                carrier.set_outputs(resource, outputs)

    def finish(self, *, program_failed: bool = False) -> None:
        """Deletes what was replaced and what the program no longer has, unless it failed; then settles the outputs."""
        if not program_failed and not self.carrier.halt.nothing_new:
            self._delete_unwanted()
        self._settle_outputs()

    def _settle_outputs(self) -> None:
        """The stack's outputs as the program gave them. After a failure an absent one need not be gone, so it stays."""
        carrier = self.carrier
        with carrier.lock:
            stack = carrier.state.resources.get(urns.stack_urn(self.stack, self.project))
            if stack is None or self._stack_outputs is None:
                return
            known = {key: value for key, value in self._stack_outputs.items() if not is_unknown(value)}
            kept = stack.outputs if carrier.journal.failed else {}
            self.planned_outputs = self._stack_outputs
            carrier.set_outputs(stack, {**kept, **known})

    def _delete_unwanted(self) -> None:
        carrier = self.carrier
        unseen = [one for one in carrier.state.resources.values() if one.urn not in self._seen]
        for resource in [one for one in unseen if one.pending_replacement]:
            carrier.forget_pending(resource)
        condemned = [*carrier.state.replaced, *(one for one in unseen if not one.pending_replacement)]
        broken = (one.needs for one in carrier.state.all if one.urn in self._broken)
        delete_in_levels(carrier, condemned, set().union(*broken))

"""One run of a program: answers each registration with what was done for it, then deletes what is no longer wanted."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from infra.rehearsal import urns
from infra.rehearsal.adoption import Adoption, TakenError
from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.condemned import ProtectedDependentError, condemned_with
from infra.rehearsal.decide import Circumstances, Decision, Kind, decide
from infra.rehearsal.deletions import delete_in_levels, targeted
from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.duration import seconds
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.journal import Operation
from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.providers.stacks import OutputsOf, no_stacks
from infra.rehearsal.resource import Goal, Resource, wanted
from infra.rehearsal.stack_config import StackConfig
from infra.rehearsal.targets import Targets
from infra.rehearsal.values import Values, is_unknown, secret_texts


@dataclass(frozen=True)
class Answer:
    """`done` is False where nothing was done; the program then goes on with unknown outputs."""

    urn: str
    id: str = ""
    outputs: Values = field(default_factory=dict)
    done: bool = True


class RefusedError(RuntimeError):
    """A registration that cannot be carried out; the message says why."""


Admit = Callable[[Resource, Resource | None], str]
"""Asked with a resource and its provider before anything is done with it; answers why nothing may be, or ""."""


def _all_welcome(new: Resource, provider: Resource | None) -> str:
    return ""


class Deployment:
    """Registrations come from several threads. What is decided is decided under the carrier's lock, one by one."""

    def __init__(
        self, project: str, stack: str, carrier: Carrier, config: StackConfig | None = None, admit: Admit | None = None
    ) -> None:
        """`config` gives default providers their settings: those in a package's own namespace."""
        self._admit = admit or _all_welcome
        self.project, self.stack, self.carrier = project, stack, carrier
        self._config = config or StackConfig()
        self.planned_outputs: Values = {}
        self.outputs_of: OutputsOf = no_stacks
        self.targets = Targets()
        self._stack_outputs: Values | None = None
        self._seen: set[str] = set()
        self._decided: set[str] = set()
        self._adoption = Adoption(carrier)
        self._replaced: set[str] = set()
        self._lost: set[str] = set()
        self._deleted: dict[str, threading.Event] = {}
        self._broken: set[str] = set()
        self._skipped: set[str] = set()
        self._finished = False

    def register(self, goal: Goal) -> Answer:
        urn = urns.make(self.stack, self.project, goal.parent, goal.type, goal.name)
        self.carrier.redactor.add(*secret_texts(goal.inputs))
        try:
            return self._register(urn, goal)
        except (HaltedError, FailedError):
            self._broken.add(urn)
        except (RefusedError, TakenError, ProtectedDependentError, ProviderError, ValueError) as error:
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
            goal = self._claim(urn, goal)
            old = self._adoption.find(urn, goal, self._seen)
        for limit in goal.timeouts.values():
            seconds(limit)
        new = wanted(urn, goal)
        with carrier.lock:
            if not self.targets.include(new):
                return self._leave(old, new)
            self._check_skipped(new)
        lost = old is not None and self._is_lost(old, new)
        with carrier.lock:
            decision = self._decide(old, new, goal, lost)
            new.inputs = decision.inputs
            if reason := self._admit(new, carrier.state.resources.get(new.provider)):
                raise RefusedError(reason)
            condemned = self._condemn(old, decision) if old and decision.delete_first else []
        self._carry_out(old, new, decision, condemned, lost)
        return Answer(urn, new.id, new.outputs)

    def _leave(self, old: Resource | None, new: Resource) -> Answer:
        """What is no target stays as it is; if it does not exist, it is not made, and nothing may need it."""
        self._decided.add(new.urn)
        kept = old or new
        self.carrier.journal.note(Operation("same", kept, old))
        if old is None:
            self._skipped.add(new.urn)
        return Answer(new.urn, kept.id, kept.outputs)

    def _check_skipped(self, new: Resource) -> None:
        if missing := sorted(new.needs & self._skipped):
            raise RefusedError(f"it depends on {missing[0]}, which would have to be made but is no --target")

    def _claim(self, urn: str, goal: Goal) -> Goal:
        """The goal with its provider. Raises HaltedError, and RefusedError for a URN that is taken."""
        if self.carrier.halt.nothing_new:
            raise HaltedError(urn)
        self._check_needs(urn, goal)
        if urn in self._seen:
            raise RefusedError(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        self._seen.add(urn)
        if goal.custom and not goal.provider and not goal.type.startswith(urns.PROVIDER_TYPES):
            goal = replace(goal, provider=self._default_provider(goal))
        return goal

    def read(self, goal: Goal, id_: str) -> Answer:
        """What exists without this program: it is told and noted, and never changed or deleted."""
        urn = urns.make(self.stack, self.project, goal.parent, goal.type, goal.name)
        carrier = self.carrier
        try:
            with carrier.lock:
                new = wanted(urn, self._claim(urn, goal))
                old = carrier.state.resources.get(urn)
                new.external, new.id = True, id_
                self._decided.add(urn)
            carrier.read(old, new, self.outputs_of)
        except (HaltedError, FailedError):
            self._broken.add(urn)
        except RefusedError as error:
            self.refuse(urn, str(error))
        else:
            return Answer(urn, new.id, new.outputs)
        return Answer(urn, done=False)

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

    def _is_lost(self, old: Resource, new: Resource) -> bool:
        """Whether what the state has is gone from where it was."""
        if not old.custom or old.external or old.is_provider or old.pending_replacement or old.urn in self._deleted:
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
        decision = decide(old, goal, diff, known, self.carrier.provider(new).check if new.custom else _unchecked)
        if decision.error:
            if not self.carrier.preview:
                raise RefusedError(decision.error)
            self.carrier.journal.fail(decision.error, new.urn)
        if decision.kind is Kind.REPLACE:
            self._replaced.add(new.urn)
        self._decided.add(new.urn)
        return decision

    def _condemn(self, root: Resource, decision: Decision) -> list[Resource]:
        """The resource, unless it is gone already, after those that must go before it."""
        done = self._decided | self._deleted.keys()
        others = self.carrier.state.resources.values()
        found = condemned_with(root, others, done, self.carrier.provider)
        if not decision.already_deleted:
            found = [*found, root]
        for resource in found:
            self._deleted[resource.urn] = threading.Event()
        return found

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
        elif decision.delete_first:
            self._delete_first(new.urn, condemned)
            carrier.replace_deleted(old, new, decision.changes)
        elif decision.already_deleted:
            self._await_deletion(new.urn)
            carrier.replace_deleted(old, new, decision.changes)
        else:
            carrier.replace(old, new, decision.changes)

    def _delete_first(self, root: str, condemned: list[Resource]) -> None:
        """What goes with `root` is deleted by itself all the same: the engine does not count `root` as deleted here."""
        gone = {one.urn for one in condemned} - {root}
        for resource in condemned:
            self.carrier.delete_first(resource, gone)
            self._deleted[resource.urn].set()

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
        """Deletes what was replaced and what the program no longer has, unless it failed; then settles the outputs.

        Called again it does nothing: a program that ends well waits for it, since it may have hooks to run.
        """
        if self._finished:
            return
        self._finished = True
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
        broken = (one.needs for one in carrier.state.all if one.urn in self._broken)
        condemned = targeted(carrier, [*carrier.state.replaced, *unseen], self.targets)
        delete_in_levels(carrier, condemned, set().union(*broken))
        for pattern in self.targets.unknown(self._adoption.olds | self._seen):
            carrier.journal.fail(f"the target {pattern} is neither in the program nor in the state")


def _unchecked(inputs: Values) -> Values:
    """Components have no provider."""
    return inputs

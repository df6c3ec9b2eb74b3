"""Deletes many resources, level by level; after a failure the next level is not begun."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.levels import closure, deletion_levels
from infra.rehearsal.resource import Resource
from infra.rehearsal.targets import Targets


def delete_in_levels(carrier: Carrier, condemned: Sequence[Resource], needed: Iterable[str] = ()) -> None:
    """Keeps what is `needed` and what a resource needs that could not be deleted. Failures end up in the journal.

    A protected resource does not stop the next level; any other failure does, unless the run continues on errors.
    """
    deleted = {resource.urn for resource in condemned}
    kept = closure(needed, carrier.state.all)

    def attempt(resource: Resource) -> set[str]:
        if resource.pending_replacement:
            carrier.forget_pending(resource)
            return set()
        try:
            carrier.delete(resource, deleted)
        except (FailedError, HaltedError):
            return resource.needs
        return set()

    if not condemned:
        return
    with ThreadPoolExecutor(max(1, carrier.parallel)) as pool:
        for level in deletion_levels(condemned):
            if carrier.halt.nothing_new:
                return
            failed = pool.map(attempt, [resource for resource in level if resource.urn not in kept])
            kept |= closure(set().union(*failed), carrier.state.all)


def targeted(carrier: Carrier, condemned: Sequence[Resource], targets: Targets) -> list[Resource]:
    """Those that may be deleted. One that needs a target goes too: unless that was asked for, it is an error."""
    if not targets.constrain:
        return list(condemned)
    allowed = targets.deletable(carrier.state.all)
    found = [one for one in condemned if one.urn in allowed]
    unasked = [one for one in found if not targets.with_dependents and not targets.names(one.urn)]
    for resource in unasked:
        message = "it would be deleted, because it needs a target, but it is none; name it, or add --target-dependents"
        carrier.journal.fail(message, resource.urn)
    return [] if unasked and not carrier.preview else found


def destroy(carrier: Carrier, *, exclude_protected: bool, targets: Targets | None = None) -> list[Resource]:
    """Deletes all that the state has, or all but what is protected and what that needs. The answer: what was spared."""
    with carrier.lock:
        spared = _protected(carrier) if exclude_protected else set()
        condemned = [one for one in carrier.state.all if one.urn not in spared]
    targets = targets or Targets()
    for pattern in targets.unknown(one.urn for one in carrier.state.all):
        carrier.journal.fail(f"the target {pattern} is not in the state")
    delete_in_levels(carrier, targeted(carrier, condemned, targets))
    return [one for one in carrier.state.resources.values() if one.urn in spared]


def _protected(carrier: Carrier) -> set[str]:
    return closure({one.urn for one in carrier.state.resources.values() if one.protect}, carrier.state.all)

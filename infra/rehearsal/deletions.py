"""Deletes many resources, level by level; after a failure the next level is not begun."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.levels import closure, deletion_levels
from infra.rehearsal.resource import Resource


def delete_in_levels(carrier: Carrier, condemned: Sequence[Resource], needed: Iterable[str] = ()) -> None:
    """Keeps what is `needed` and what a resource needs that could not be deleted. Failures end up in the journal.

    A protected resource does not stop the next level; any other failure does, unless the run continues on errors.
    """
    deleted = {resource.urn for resource in condemned}
    kept = closure(needed, carrier.state.all)

    def attempt(resource: Resource) -> set[str]:
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


def destroy(carrier: Carrier, *, exclude_protected: bool) -> list[Resource]:
    """Deletes all that the state has, or all but what is protected and what that needs. The answer: what was spared."""
    with carrier.lock:
        spared = _protected(carrier) if exclude_protected else set()
        waiting = [one for one in carrier.state.resources.values() if one.pending_replacement]
        condemned = [one for one in carrier.state.all if one.urn not in spared and not one.pending_replacement]
    for resource in waiting:
        carrier.forget_pending(resource)
    delete_in_levels(carrier, condemned)
    return [one for one in carrier.state.resources.values() if one.urn in spared]


def _protected(carrier: Carrier) -> set[str]:
    return closure({one.urn for one in carrier.state.resources.values() if one.protect}, carrier.state.all)

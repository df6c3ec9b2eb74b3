"""Deletes many resources, level by level; after a failure the next level is not begun."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.levels import deletion_levels
from infra.rehearsal.resource import Resource


def delete_in_levels(carrier: Carrier, condemned: Sequence[Resource]) -> None:
    """Failures end up in the journal. With `continue_on_error` only what the failed ones need is kept."""
    deleted = {resource.urn for resource in condemned}
    kept: set[str] = set()

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
            spared = [resource for resource in level if resource.urn in kept]
            kept.update(*(resource.needs for resource in spared))
            kept.update(*pool.map(attempt, [resource for resource in level if resource.urn not in kept]))


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
    resources = carrier.state.resources
    kept = {urn for urn, one in resources.items() if one.protect}
    while more := set().union(*(resources[urn].needs for urn in kept)) & resources.keys() - kept:
        kept |= more
    return kept

"""In which order things are deleted: in levels, dependents before what they need, each level at once."""

from collections.abc import Iterable

from infra.rehearsal.resource import Resource


def deletion_levels(condemned: Iterable[Resource]) -> list[list[Resource]]:
    """A resource's level is its longest way down to one that needs no other; the highest level goes first.

    Raises ValueError if they depend on each other in a circle.
    """
    resources = list(condemned)
    by_urn: dict[str, list[Resource]] = {}
    for resource in resources:
        by_urn.setdefault(resource.urn, []).append(resource)
    depth: dict[str, int] = {}

    def measure(urn: str, above: tuple[str, ...]) -> int:
        if urn in above:
            raise ValueError(f"the state has a circle of dependencies: {' -> '.join((*above, urn))}")
        if urn not in depth:
            needs = set().union(*(one.needs for one in by_urn[urn])) & by_urn.keys() - {urn}
            depth[urn] = 1 + max((measure(need, (*above, urn)) for need in needs), default=-1)
        return depth[urn]

    levels: dict[int, list[Resource]] = {}
    for resource in resources:
        levels.setdefault(measure(resource.urn, ()), []).append(resource)
    return [levels[level] for level in sorted(levels, reverse=True)]


def dependents(of: str, resources: Iterable[Resource]) -> list[Resource]:
    """Those that need `of`, directly or not, each after what it needs itself."""
    known = [resource for resource in resources if resource.urn != of]
    reached = {of}
    while more := {r.urn for r in known if r.urn not in reached and r.needs & reached}:
        reached |= more
    found = [resource for resource in known if resource.urn in reached]
    return [resource for level in reversed(deletion_levels(found)) for resource in level]


def closure(urns: Iterable[str], resources: Iterable[Resource]) -> set[str]:
    """These and all that they need, directly or not."""
    needs: dict[str, set[str]] = {}
    for resource in resources:
        needs[resource.urn] = needs.get(resource.urn, set()) | resource.needs
    reached = set(urns)
    while more := set().union(*(needs.get(urn, set()) for urn in reached)) - reached:
        reached |= more
    return reached

"""What must be deleted before a resource that is replaced by deleting it first: dependents that would be replaced too.

As the engine's calculateDependentReplacements (pulumi/pulumi, pkg/resource/deploy/step_generator.go). It takes those
again that an earlier run deleted for the same reason and did not make anew, so their deletion runs a second time.
"""

from collections.abc import Callable, Collection, Iterable

from infra.rehearsal.levels import dependents
from infra.rehearsal.providers.base import Provider
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Values


class ProtectedDependentError(RuntimeError):
    """A dependent is protected, so nothing may be replaced; the message names both."""


def condemned_with(
    root: Resource,
    resources: Iterable[Resource],
    decided: Collection[str],
    provider: Callable[[Resource], Provider],
) -> list[Resource]:
    """Dependents before what they need; `root` is not among them. `decided`: the URNs this run has dealt with already.

    Raises ProtectedDependentError and ProviderError.
    """
    replaced = {root.urn}
    found: list[Resource] = []
    for resource in dependents(root.urn, resources):
        if resource.urn in decided or not _is_replaced_with(resource, replaced, provider):
            continue
        if resource.protect:
            raise ProtectedDependentError(
                f"unable to replace resource {resource.name!r} as part of replacing {root.name!r}: it is "
                "protected; to replace both, remove `protect` from it in the program and apply that first"
            )
        replaced.add(resource.urn)
        found.append(resource)
    return found[::-1]


def _is_replaced_with(resource: Resource, replaced: set[str], provider: Callable[[Resource], Provider]) -> bool:
    """Whether new and unknown values of what is replaced would replace this one."""
    if not resource.custom or resource.external:
        return False
    if resource.provider in replaced or replaced & {*resource.replace_with}:
        return True
    touched = {key for key, needs in resource.property_dependencies.items() if replaced & {*needs}}
    if not touched & resource.inputs.keys():
        return False
    inputs: Values = {key: UNKNOWN if key in touched else value for key, value in resource.inputs.items()}
    changes = provider(resource).diff(resource, inputs)
    return changes.replacing(resource.replace_on_changes).replaces

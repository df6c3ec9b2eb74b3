"""What exists, as one stack's state: its resources, what was replaced, and what was begun and not seen to end."""

from dataclasses import dataclass, field

from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values


@dataclass
class Pending:
    """An operation that began. `group` and `group_started` name the process group of its command, if it runs one."""

    operation: str
    type: str
    group: int = 0
    group_started: str = ""


@dataclass
class State:
    """`replaced` holds older instances that wait for their deletion; their URNs may also be in `resources`."""

    resources: dict[str, Resource] = field(default_factory=dict)
    replaced: list[Resource] = field(default_factory=list)
    pending: dict[str, Pending] = field(default_factory=dict)

    @property
    def all(self) -> list[Resource]:
        return [*self.resources.values(), *self.replaced]

    @property
    def outputs(self) -> Values:
        """The stack's outputs."""
        return next((r.outputs for r in self.resources.values() if r.is_stack), {})

    def forget(self, urn: str) -> None:
        """Takes a resource out, also where others refer to it."""
        self.resources.pop(urn, None)
        self.pending.pop(urn, None)
        for resource in self.all:
            resource.parent = "" if resource.parent == urn else resource.parent
            resource.deleted_with = "" if resource.deleted_with == urn else resource.deleted_with
            resource.replace_with = [one for one in resource.replace_with if one != urn]
            resource.dependencies = [one for one in resource.dependencies if one != urn]
            kept = {key: [one for one in urns if one != urn] for key, urns in resource.property_dependencies.items()}
            resource.property_dependencies = {key: urns for key, urns in kept.items() if urns}

    def rename(self, former: str, urn: str) -> None:
        """Gives a resource its new URN, also where others refer to it."""
        self.resources = {urn if key == former else key: resource for key, resource in self.resources.items()}
        for resource in self.all:
            if resource.urn == former and not resource.delete:
                resource.urn, resource.name = urn, urn.split("::", 3)[3]
            resource.parent = urn if resource.parent == former else resource.parent
            resource.provider = urn if resource.provider == former else resource.provider
            resource.deleted_with = urn if resource.deleted_with == former else resource.deleted_with
            resource.replace_with = [urn if one == former else one for one in resource.replace_with]
            resource.dependencies = [urn if one == former else one for one in resource.dependencies]
            resource.property_dependencies = {
                key: [urn if one == former else one for one in urns]
                for key, urns in resource.property_dependencies.items()
            }

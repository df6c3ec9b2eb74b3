"""A resource as the program wants it (Goal) and as the state has it (Resource)."""

from dataclasses import dataclass, field

from infra.rehearsal.urns import PROVIDER_TYPES, STACK_TYPE, Alias
from infra.rehearsal.values import Value, Values


@dataclass(frozen=True)
class Goal:
    """One registration. URNs name parent, provider and dependencies; the inputs hold Pulumi's marks."""

    type: str
    name: str
    custom: bool = True
    version: str = ""
    parent: str = ""
    provider: str = ""
    inputs: Values = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    hooks: dict[str, list[str]] = field(default_factory=dict)
    timeouts: dict[str, str] = field(default_factory=dict)


@dataclass
class Resource:
    """`delete`: replaced, still to be deleted. `pending_replacement`: deleted, its replacement not made yet.

    `external`: read, not made: nothing here changes or deletes it. `hooks`: moment -> names of the program's hooks.
    """

    urn: str
    type: str
    name: str
    custom: bool
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: Values = field(default_factory=dict)
    outputs: Values = field(default_factory=dict)
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: list[str] = field(default_factory=list)
    replacement_trigger: Value = None
    hooks: dict[str, list[str]] = field(default_factory=dict)
    external: bool = False
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    timeouts: dict[str, str] = field(default_factory=dict)
    delete: bool = False
    pending_replacement: bool = False

    @property
    def is_stack(self) -> bool:
        return self.type == STACK_TYPE

    @property
    def is_provider(self) -> bool:
        return self.type.startswith(PROVIDER_TYPES)

    @property
    def is_default_provider(self) -> bool:
        """A provider that nobody declared: the engine makes one for each package and version."""
        return self.is_provider and not self.parent

    @property
    def needs(self) -> set[str]:
        """The URNs that must exist as long as this one does."""
        needed = {*self.dependencies, *self.replace_with, self.parent, self.provider, self.deleted_with}
        needed.update(*self.property_dependencies.values())
        return needed - {""}


def wanted(urn: str, goal: Goal) -> Resource:
    """The state that the goal asks for, before it has an id or outputs."""
    return Resource(
        urn=urn,
        type=goal.type,
        name=goal.name,
        custom=goal.custom,
        parent=goal.parent,
        provider=goal.provider,
        inputs=goal.inputs,
        dependencies=sorted(goal.dependencies),
        property_dependencies={key: sorted(urns) for key, urns in goal.property_dependencies.items() if urns},
        protect=goal.protect,
        retain_on_delete=goal.retain_on_delete,
        deleted_with=goal.deleted_with,
        replace_with=list(goal.replace_with),
        replacement_trigger=goal.replacement_trigger,
        hooks={kind: list(names) for kind, names in goal.hooks.items() if names},
        ignore_changes=list(goal.ignore_changes),
        replace_on_changes=list(goal.replace_on_changes),
        additional_secret_outputs=list(goal.additional_secret_outputs),
        timeouts=dict(goal.timeouts),
    )

"""Which resources a run may touch: `--target URN`, with `*` for a part of a name and `**` for anything.

Source: pulumi/pulumi, pkg/resource/deploy/target.go (UrnTargets) and step_generator.go (isTargetedForUpdate,
determineAllowedResourcesToDeleteFromTargets).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.rehearsal.levels import dependents
from infra.rehearsal.resource import Resource


@dataclass
class Targets:
    """Without patterns everything is a target. `with_dependents`: also what needs a target, directly or not."""

    patterns: tuple[str, ...] = ()
    with_dependents: bool = False
    drawn_in: set[str] = field(default_factory=set)

    @property
    def constrain(self) -> bool:
        return bool(self.patterns)

    def names(self, urn: str) -> bool:
        """Whether a pattern names it."""
        return not self.patterns or any(_matches(pattern, urn) for pattern in self.patterns)

    def include(self, resource: Resource) -> bool:
        """Whether it may be made or changed, as providers and the stack always may; it draws in what needs it."""
        if not self.patterns or resource.is_provider or resource.is_stack:
            return True
        included = self.names(resource.urn) or (self.with_dependents and bool(resource.needs & self.drawn_in))
        if included:
            self.drawn_in.add(resource.urn)
        return included

    def deletable(self, known: Iterable[Resource]) -> set[str]:
        """The URNs that may be deleted: those named, and all that need them."""
        resources = list(known)
        named = {one.urn for one in resources if self.names(one.urn)}
        return named.union(*({one.urn for one in dependents(urn, resources)} for urn in named))

    def unknown(self, urns: Iterable[str]) -> list[str]:
        """The patterns without a wildcard that name nothing."""
        known = {*urns}
        return [one for one in self.patterns if "*" not in one and one not in known]


def _matches(pattern: str, urn: str) -> bool:
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^:]*"}
    return re.fullmatch("".join(wild.get(part) or re.escape(part) for part in parts), urn) is not None

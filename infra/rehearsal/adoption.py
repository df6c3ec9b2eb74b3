"""Finds what the state has for a registration, under its own name or one that an alias stands for.

Source: pulumi/pulumi, pkg/resource/deploy/step_generator.go, generateSteps and generateAliases.
"""

from collections.abc import Collection

from infra.rehearsal import urns
from infra.rehearsal.carry import Carrier
from infra.rehearsal.resource import Goal, Resource


class TakenError(RuntimeError):
    """Two registrations mean the same resource of the state; the message names both."""


class Adoption:
    """What this run has found so far. Called with the carrier's lock held."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.olds = frozenset(carrier.state.resources)
        self._former: dict[str, str] = {}
        self._claimed: dict[str, str] = {}

    def find(self, urn: str, goal: Goal, seen: Collection[str]) -> Resource | None:
        """One found under a former name is renamed. Raises TakenError."""
        if urn in self._claimed:
            raise TakenError(f"{urns.name(self._claimed[urn])} has the alias {urn}, which the program still has")
        if urn in self.olds:
            return self._carrier.state.resources.get(urn)
        for former in urns.former(urn, goal.aliases, goal.parent, self._former):
            if former in self.olds:
                return self._take_over(urn, former, seen)
        return None

    def _take_over(self, urn: str, former: str, seen: Collection[str]) -> Resource:
        if former in seen or former in self._claimed:
            holder = urns.name(self._claimed.get(former, former))
            raise TakenError(f"{urns.name(urn)} has the alias {former}, which is {holder} in the program as well")
        self._carrier.rename(former, urn)
        self._former[urn], self._claimed[former] = former, urn
        return self._carrier.state.resources[urn]

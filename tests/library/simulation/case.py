"""One history with its lineage, in the forms that several checks need."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from app.kit.owner import SYSTEM_SESSION
from tests.library.simulation.history import Call, History, Kind, Status
from tests.library.simulation.lineage import NOTHING, Lineage, Version
from tests.library.simulation.machines import name_of


class Made(NamedTuple):
    """A row that some version brought: which write made it, and whose that was."""

    row: str
    write: str
    session: str
    version: Version


class Case:
    """`made`: every row that ever was, by its id, in order."""

    def __init__(self, history: History, lineage: Lineage) -> None:
        self.calls = history.calls
        self.operations = history.operations
        self.effects = history.effects
        self.lineage = lineage
        self.versions = lineage.versions
        self.attempts: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            if call.request.kind == "write":
                self.attempts[call.request.write].append(call)
        self.made = {made.row: made for made in self._made()}
        self._created_s = [version.created_s for version in self.versions]

    def answered(self, kind: Kind, *statuses: Status) -> Iterator[Call]:
        return (call for call in self.calls if call.request.kind == kind and call.answer.status in statuses)

    def posted(self) -> Iterator[Made]:
        """Those whose handlers posted an effect."""
        return (made for made in self.made.values() if self.attempts[made.write][0].request.posts)

    def at(self, number: int) -> Version:
        """What never was has no rows."""
        return self.versions[number] if number < len(self.versions) else NOTHING

    def exists(self, number: int, at_s: float) -> bool:
        return number < len(self.versions) and self.versions[number].created_s <= at_s

    def newest_at(self, moment_s: float) -> Version:
        """What was durable before that moment."""
        return self.versions[bisect_left(self._created_s, moment_s, lo=1) - 1]

    def others(self, session: str, after: int, to: int) -> Iterator[tuple[Version, str]]:
        """Versions in `after` < number <= `to` that others than the session and the system made, with who it was."""
        for version in self.versions[after + 1 : to + 1]:
            for writer in version.writers - {session, SYSTEM_SESSION}:
                yield version, writer

    def ends(self) -> Iterator[Version]:
        """The markers of erasures."""
        return (version for version in self.versions if version.kind == "erase")

    def _made(self) -> Iterator[Made]:
        for before, version in pairwise(self.versions):
            if version.kind == "write":
                for row in version.rows[len(before.rows) :]:
                    asked = self.attempts.get(name_of(row))
                    yield Made(row, name_of(row), asked[0].request.session if asked else "nobody", version)

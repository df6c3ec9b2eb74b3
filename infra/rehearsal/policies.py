"""Policy packs beside a deployment: each resource is judged before it is touched, the whole at the end.

As the engine does: an advisory violation is told, a mandatory one fails a preview at its end and stops an `up` before
the resource that it is about.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.rehearsal import urns
from infra.rehearsal.analyzer import AnalyzerError, Finding, StackFacts
from infra.rehearsal.journal import Journal
from infra.rehearsal.policy_pack import PolicyPack, start
from infra.rehearsal.resource import Resource


@dataclass
class Policies:
    """`admit` is called from several threads. No pack, no opinion."""

    packs: Sequence[PolicyPack]
    journal: Journal
    preview: bool
    found: list[tuple[PolicyPack, Finding]] = field(default_factory=list)
    admitted: list[tuple[Resource, Resource | None]] = field(default_factory=list)

    def admit(self, new: Resource, provider: Resource | None) -> str:
        """Why nothing may be done with the resource, or "". In a preview violations are only noted."""
        reasons: list[str] = []
        for pack in self.packs:
            try:
                findings = pack.analyzer.analyze(new, provider)
            except AnalyzerError as error:
                return f"failed to run policy: {error}"
            self.found += [(pack, each) for each in findings]
            reasons += [_told(each) for each in findings if each.mandatory]
            for each in findings:
                self._tell(each, now=self.preview)
        self.admitted.append((new, provider))
        return "" if self.preview or not reasons else "\n".join(reasons)

    def judge_whole(self) -> None:
        """Only once everything else went well, as the engine does."""
        if self.journal.failed:
            return
        for pack in self.packs:
            try:
                findings = pack.analyzer.analyze_stack(list(self.admitted))
            except AnalyzerError as error:
                self.journal.fail(f"failed to run policy: {error}")
                return
            self.found += [(pack, each) for each in findings]
            for each in findings:
                self._tell(each, now=True)

    def _tell(self, finding: Finding, *, now: bool) -> None:
        if not finding.mandatory:
            self.journal.warn(_told(finding), finding.urn)
        elif now:
            self.journal.fail(_told(finding), finding.urn)

    def lines(self) -> list[str]:
        """The summary, each violation on a line: its text was told when it was found."""
        if not self.packs:
            return []
        lines = ["", "Policies:"]
        for pack in self.packs:
            own = [finding for each, finding in self.found if each is pack]
            sign = "❌" if any(each.mandatory for each in own) else "⚠️ " if own else "✅"
            lines.append(f"    {sign} {pack.name} (local: {pack.folder})")
            lines += [f"        - [{_level(each)}]  {each.policy}  ({_about(each)})" for each in own]
        return lines


def _level(finding: Finding) -> str:
    return "mandatory" if finding.mandatory else "advisory"


def _told(finding: Finding) -> str:
    return f"[{_level(finding)}] {finding.policy}: {finding.message}"


def _about(finding: Finding) -> str:
    return f"{urns.own_type(finding.urn)}: {urns.name(finding.urn)}" if finding.urn else urns.STACK_TYPE


@contextlib.contextmanager
def running(
    folders: Sequence[Path],
    facts: StackFacts,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    journal: Journal,
) -> Iterator[Policies]:
    """The packs in `folders`, started, and ended afterwards. Raises AnalyzerError."""
    with contextlib.ExitStack() as stack:
        packs: list[PolicyPack] = []
        for folder in folders:
            packs.append(start(folder, facts, environment, say))
            stack.callback(packs[-1].close)
        yield Policies(packs, journal, facts.preview)

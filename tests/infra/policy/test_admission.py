"""What findings do to a run: who is told, what stops, and what the summary says."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.rehearsal.analyzer import AnalyzerError, Finding
from infra.rehearsal.journal import Journal
from infra.rehearsal.policies import Policies
from infra.rehearsal.resource import Resource

URN = "urn:pulumi:test::app::a:b:C::thing"
THING = Resource(URN, "a:b:C", "thing", custom=True)
ADVICE = Finding("advice", "think again", mandatory=False, urn=URN)
VIOLATION = Finding("rule", "not so", mandatory=True, urn=URN)
WHOLE = Finding("whole", "not all of it", mandatory=True)


@dataclass
class FakePack:
    """Finds what it is given; a RuntimeError instead is raised."""

    name: str = "pack@v1"
    folder: Path = Path("pack")
    each: list[Finding] = field(default_factory=list)
    whole: list[Finding] = field(default_factory=list)
    broken: bool = False

    @property
    def analyzer(self) -> "FakePack":
        return self

    def analyze(self, resource: Resource, provider: Resource | None) -> list[Finding]:
        if self.broken:
            raise AnalyzerError("it broke")
        return self.each

    def analyze_stack(self, resources: list[tuple[Resource, Resource | None]]) -> list[Finding]:
        if self.broken:
            raise AnalyzerError("it broke")
        assert resources == [(THING, None)]
        return self.whole


def policies(*packs: FakePack, preview: bool) -> Policies:
    return Policies(packs, Journal(), preview)  # type: ignore[arg-type]


def told(run: Policies) -> list[tuple[str, str]]:
    return [(each.severity, each.message) for each in run.journal.diagnostics]


def test_without_a_pack_everything_is_welcome_and_nothing_is_said() -> None:
    run = policies(preview=False)
    assert run.admit(THING, None) == ""
    run.judge_whole()
    assert (run.lines(), told(run)) == ([], [])


def test_an_up_refuses_with_the_violation_and_tells_the_advice() -> None:
    run = policies(FakePack(each=[ADVICE, VIOLATION]), preview=False)
    assert run.admit(THING, None) == "[mandatory] rule: not so"
    assert told(run) == [("warning", "[advisory] advice: think again")]


def test_a_preview_goes_on_and_fails() -> None:
    run = policies(FakePack(each=[VIOLATION]), preview=True)
    assert run.admit(THING, None) == ""
    assert told(run) == [("error", "[mandatory] rule: not so")]
    assert run.journal.failed


def test_the_whole_is_judged_only_where_nothing_failed() -> None:
    run = policies(FakePack(whole=[WHOLE]), preview=True)
    run.admit(THING, None)
    run.judge_whole()
    assert told(run) == [("error", "[mandatory] whole: not all of it")]
    run.judge_whole()
    assert len(run.found) == 1


@pytest.mark.parametrize("preview", [True, False])
def test_a_pack_that_breaks_is_no_consent(preview: bool) -> None:
    run = policies(FakePack(broken=True), preview=preview)
    assert run.admit(THING, None) == "failed to run policy: it broke"
    run.judge_whole()
    assert told(run) == [("error", "failed to run policy: it broke")]


def test_the_summary_has_each_pack_and_each_finding() -> None:
    strict, mild, silent = (
        FakePack("a@v1", each=[VIOLATION], whole=[]),
        FakePack("b@v1", each=[ADVICE]),
        FakePack("c@v1"),
    )
    run = policies(strict, mild, silent, preview=True)
    run.admit(THING, None)
    assert run.lines() == [
        "",
        "Policies:",
        "    ❌ a@v1 (local: pack)",
        "        - [mandatory]  rule  (a:b:C: thing)",
        "    ⚠️  b@v1 (local: pack)",
        "        - [advisory]  advice  (a:b:C: thing)",
        "    ✅ c@v1 (local: pack)",
    ]

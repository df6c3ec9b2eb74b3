"""`--target`: what is no target stays as it is (step_generator.go, isTargetedForUpdate and validateSteps)."""

from pathlib import Path

import pytest
from pulumi import ResourceOptions

from infra.rehearsal import Result, run, tear_down
from infra.rehearsal.targets import Targets
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Thing, fake


def urn(name: str) -> str:
    return f"urn:pulumi:test::project::{TYPE}::{name}"


class Stack:
    """`a`, `b` that needs it, and `c`, with a word for all of them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.provider = fake()

    def up(self, word: str, *names: str, only: Targets | None = None, preview: bool = False) -> Result:
        def program() -> None:
            a = Thing("a", word=word) if "a" in names else None
            if "b" in names:
                Thing("b", ResourceOptions(depends_on=[a] if a else []), word=a.said if a else "", more=word)
            for name in {*names} - {"a", "b"}:
                Thing(name, word=word)

        self.provider = fake()
        return run(program, providers={"fake": self.provider}, state=self.state, targets=only, preview=preview)

    def calls(self) -> list[str]:
        return sorted(f"{operation} {name}" for operation, name in self.provider.calls)

    def names(self) -> set[str]:
        return {one.name for one in saved(self.state) if one.type == TYPE}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    made = Stack(tmp_path / "state.json")
    made.up("1", "a", "b", "c")
    return made


@pytest.mark.parametrize(
    ("targets", "calls"),
    [
        (Targets(), ["update a", "update b", "update c"]),
        (Targets((urn("c"),)), ["update c"]),
        (Targets(("**::a",)), ["update a"]),
        (Targets((f"urn:pulumi:test::*::{TYPE}::c",)), ["update c"]),
        (Targets(("urn:pulumi:test::*::c",)), []),
        (Targets(("**::a",), with_dependents=True), ["update a", "update b"]),
    ],
)
def test_only_targets_are_changed(stack: Stack, targets: Targets, calls: list[str]) -> None:
    assert stack.up("2", "a", "b", "c", only=targets).succeeded
    assert stack.calls() == calls


def test_what_is_new_and_no_target_is_not_made(stack: Stack) -> None:
    assert stack.up("2", "a", "b", "c", "d", only=Targets((urn("c"),))).succeeded
    assert stack.names() == {"a", "b", "c"}


def test_a_target_that_needs_what_is_not_made_is_refused(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "state.json")
    result = stack.up("1", "a", "b", only=Targets((urn("b"),)))
    assert not result.succeeded
    assert f"it depends on {urn('a')}" in result.diagnostics[0].message
    assert stack.calls() == []


def test_only_targets_are_deleted(stack: Stack) -> None:
    assert stack.up("1", "a", "b", only=Targets((urn("a"),))).succeeded
    assert stack.names() == {"a", "b", "c"}
    assert stack.up("1", "a", "b", only=Targets((urn("c"),))).succeeded
    assert stack.names() == {"a", "b"}


def test_what_needs_a_deleted_target_forgets_it(stack: Stack) -> None:
    """rebuildBaseState."""
    assert stack.up("1", "b", only=Targets((urn("a"),))).succeeded
    (b,) = (one for one in saved(stack.state) if one.name == "b")
    assert (b.dependencies, b.property_dependencies) == ([], {})


def test_destroy_takes_what_needs_a_target_only_if_asked_to(stack: Stack) -> None:
    """GetResourceWillBeDestroyedButWasNotSpecifiedInTargetList."""
    providers = {"fake": fake()}
    refused = tear_down(state=stack.state, providers=providers, targets=Targets((urn("a"),)))
    assert not refused.succeeded
    assert [one.urn for one in refused.diagnostics] == [urn("b")]
    assert stack.names() == {"a", "b", "c"}
    assert tear_down(state=stack.state, providers=providers, targets=Targets((urn("a"),), True)).succeeded
    assert stack.names() == {"c"}


def test_a_preview_shows_all_that_would_go(stack: Stack) -> None:
    result = stack.up("1", "c", only=Targets((urn("a"),)), preview=True)
    assert not result.succeeded
    assert [one.op for one in result.operations if one.resource.name in "ab"] == ["delete", "delete"]


def test_a_target_that_nobody_knows_is_named(stack: Stack) -> None:
    result = stack.up("1", "a", "b", "c", only=Targets((urn("z"), "**::y")))
    assert not result.succeeded
    assert [one.message for one in result.diagnostics] == [
        f"the target {urn('z')} is neither in the program nor in the state"
    ]
    torn = tear_down(state=stack.state, providers={"fake": fake()}, targets=Targets((urn("z"),)))
    assert not torn.succeeded
    assert stack.names() == {"a", "b", "c"}

"""Scenarios of our own: programs, and what the engine's sources say that it does with them.

Each names the function of pulumi/pulumi, pkg/resource/deploy, that decides. The engine they follow is 3.253.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pytest
from pulumi import Alias, ResourceOptions

from infra.rehearsal import Result, run, tear_down
from infra.rehearsal.providers.base import Call, Made, ProviderError
from infra.rehearsal.providers.fake import Fake
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Group, Thing, fake
from tests.infra.rehearsal.things import program as only

Program = Callable[[], None]
Opts = ResourceOptions


class Stack:
    """Programs applied one after the other to one state."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.provider = fake()

    def up(self, program: Program, *, preview: bool = False, breaks: str = "") -> Result:
        """`breaks`: the operation that fails, as `create a`."""
        self.provider = Breaking(outputs=fake().outputs, replaces=["place"])
        self.provider.breaks = breaks
        return run(program, providers={"fake": self.provider}, state=self.state, preview=preview)

    def calls(self) -> list[str]:
        """What reached the provider, in order."""
        return [f"{operation} {name}" for operation, name in self.provider.calls]

    def names(self) -> set[str]:
        return {one.name for one in saved(self.state) if one.type == TYPE}


class Breaking(Fake):
    breaks = ""

    def create(self, call: Call) -> Made:
        if self.breaks == f"create {call.resource.name}":
            raise ProviderError("broken")
        return super().create(call)


def steps(result: Result) -> list[str]:
    found = [f"{one.op} {one.resource.name}" for one in result.operations if not one.resource.is_default_provider]
    return [one for one in found if not one.endswith("project-test")]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path / "state.json")


@dataclass(frozen=True)
class Turn:
    """A program, and the steps that it leads to."""

    program: Program
    steps: list[str]


def thing(name: str, opts: Opts | None = None, **inputs: str) -> Program:
    return only(lambda: Thing(name, opts, **inputs))


def grouped(group: str, child: str, group_opts: Opts | None = None, opts: Opts | None = None) -> Program:
    def program() -> None:
        parent = Group(group, group_opts)
        Thing(child, Opts.merge(Opts(parent=parent), opts))

    return program


def pair(place: str, first: Opts | None = None, second: Opts | None = None, *, joined: bool = True) -> Program:
    """`b` needs what `a` says, unless they are not joined; a changed `place` replaces `a`."""

    def program() -> None:
        a = Thing("a", first, place=place, word=place)
        extra = {"place": a.said} if joined else {}
        Thing("b", Opts.merge(second, Opts(depends_on=[] if joined else [a])), **extra)

    return program


GROUP_URN = "urn:pulumi:test::project::fake:index:Group::g"
DBR = Opts(delete_before_replace=True)
REPLACED_FIRST = ["delete-replaced b", "delete-replaced a", "replace a", "create-replacement a", "replace b"]


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param(
            [Turn(thing("a"), ["create a"]), Turn(thing("b", Opts(aliases=[Alias(name="a")])), ["same b"])],
            id="generateAliases: a name",
        ),
        pytest.param(
            [
                Turn(grouped("g", "a"), ["create g", "create a"]),
                Turn(thing("a", Opts(aliases=[Alias(parent=GROUP_URN)])), ["same a", "delete g"]),
            ],
            id="collapseAliasToUrn: out of a component that is gone",
        ),
        pytest.param(
            [
                Turn(grouped("g", "g-a"), ["create g", "create g-a"]),
                Turn(grouped("h", "h-a", Opts(aliases=[Alias(name="g")])), ["same h", "same h-a"]),
                Turn(
                    grouped("i", "i-b", Opts(aliases=[Alias(name="h")]), Opts(aliases=[Alias(name="i-a")])),
                    ["same i", "same i-b"],
                ),
            ],
            id="inheritedChildAlias: renamed twice, the child at the same time",
        ),
        pytest.param(
            [
                Turn(thing("a"), ["create a"]),
                Turn(thing("b", Opts(aliases=[Alias(name="a")])), ["same b"]),
                Turn(thing("c", Opts(aliases=[Alias(name="a"), Alias(name="b")])), ["same c"]),
            ],
            id="generateSteps: a chain of names",
        ),
        pytest.param(
            [
                Turn(pair("1", DBR), ["create a", "create b"]),
                Turn(pair("2", DBR), [*REPLACED_FIRST, "create-replacement b"]),
            ],
            id="calculateDependentReplacements: a dependent that would be replaced goes first",
        ),
        pytest.param(
            [
                Turn(pair("1", DBR, joined=False), ["create a", "create b"]),
                Turn(
                    pair("2", DBR, joined=False),
                    ["delete-replaced a", "replace a", "create-replacement a", "same b"],
                ),
            ],
            id="calculateDependentReplacements: depends_on alone condemns nobody",
        ),
        pytest.param(
            [
                Turn(thing("a", place="1", word="1"), ["create a"]),
                Turn(
                    thing("a", Opts(ignore_changes=["word"]), place="2", word="2"),
                    ["create-replacement a", "replace a", "delete-replaced a"],
                ),
                Turn(thing("a", place="2", word="2"), ["same a"]),
            ],
            id="continueStepsFromDiff: a replacement gets the ignored inputs, too",
        ),
        pytest.param(
            [
                Turn(thing("a", word="1"), ["create a"]),
                Turn(thing("a", Opts(ignore_changes=["word["]), word="2"), ["update a"]),
            ],
            id="processIgnoreChanges: a path that cannot be read is passed over",
        ),
        pytest.param(
            [
                Turn(thing("a"), ["create a"]),
                Turn(thing("a", Opts(replacement_trigger="1")), ["same a"]),
                Turn(
                    thing("a", Opts(replacement_trigger="2")),
                    ["create-replacement a", "replace a", "delete-replaced a"],
                ),
                Turn(thing("a", Opts(replacement_trigger=pulumi.Output.from_input("2"))), ["same a"]),
                Turn(thing("a"), ["same a"]),
            ],
            id="generateStepsFromDiff: a replacement trigger",
        ),
        pytest.param(
            [
                Turn(thing("a", Opts(protect=True), place="1"), ["create a"]),
                Turn(thing("a", Opts(protect=True), place="2"), []),
                Turn(thing("a", place="2"), ["create-replacement a", "replace a", "delete-replaced a"]),
            ],
            id="continueStepsFromDiff: protection forbids a replacement until it is taken off",
        ),
    ],
)
def test_steps(stack: Stack, turns: list[Turn]) -> None:
    for number, turn in enumerate(turns):
        assert steps(stack.up(turn.program)) == turn.steps, f"turn {number + 1}"


def test_a_name_of_before_belongs_to_one_resource_only(stack: Stack) -> None:
    """generateSteps: GetDuplicateResourceAliasError and GetDuplicateResourceAliasedError."""

    def both_new() -> None:
        first = Thing("b", Opts(aliases=[Alias(name="a")]))
        Thing("c", Opts(aliases=[Alias(name="a")], depends_on=[first]))

    def one_old() -> None:
        first = Thing("b", Opts(aliases=[Alias(name="a")]))
        Thing("a", Opts(depends_on=[first]))

    for program, message in ((both_new, "c has the alias"), (one_old, "b has the alias")):
        stack.state.unlink(missing_ok=True)
        stack.up(thing("a"))
        result = stack.up(program)
        assert not result.succeeded
        assert message in result.diagnostics[0].message


def test_an_alias_means_what_was_there_before_this_run(stack: Stack) -> None:
    """generateSteps looks in the old state only: a sibling that is new is no former self."""

    def program() -> None:
        first = Thing("a")
        Thing("b", Opts(aliases=[Alias(name="a")], depends_on=[first]))

    assert steps(stack.up(program)) == ["create a", "create b"]


def test_dependents_that_an_earlier_run_deleted_are_deleted_once_more(stack: Stack) -> None:
    """calculateDependentReplacements knows nothing of what is pending; the root is spared (pulumi/pulumi#17146)."""
    stack.up(pair("1", DBR))
    assert not stack.up(pair("2", DBR), breaks="create a").succeeded
    assert {one.name for one in saved(stack.state) if one.pending_replacement} == {"a", "b"}
    result = stack.up(pair("2", DBR))
    assert stack.calls() == ["delete b", "create a", "create b"]
    assert steps(result)[:3] == ["delete-replaced b", "replace a", "create-replacement a"]
    assert not [one for one in saved(stack.state) if one.pending_replacement]


def test_a_pending_replacement_without_the_option_creates_first_and_deletes_again(stack: Stack) -> None:
    """continueStepsFromDiff: the way of replacing is decided anew; CreateStep marks the old one for deletion."""
    stack.up(thing("a", DBR, place="1"))
    stack.up(thing("a", DBR, place="2"), breaks="create a")
    result = stack.up(thing("a", place="2"))
    assert steps(result) == ["create-replacement a", "replace a", "delete-replaced a"]
    assert stack.calls() == ["create a", "delete a"]
    assert [(one.delete, one.pending_replacement) for one in saved(stack.state) if one.type == TYPE] == [(False, False)]


def test_going_back_while_a_replacement_is_pending_makes_it_anew(stack: Stack) -> None:
    """continueStepsFromDiff: `|| old.PendingReplacement`, also where nothing differs."""
    stack.up(thing("a", DBR, place="1"))
    stack.up(thing("a", DBR, place="2"), breaks="create a")
    assert steps(stack.up(thing("a", DBR, place="1"))) == ["replace a", "create-replacement a"]


def test_what_is_pending_and_no_longer_wanted_is_forgotten(stack: Stack) -> None:
    """GenerateDeletes: NewRemovePendingReplaceStep."""
    stack.up(pair("1", DBR))
    stack.up(pair("2", DBR), breaks="create a")
    result = stack.up(lambda: None)
    assert steps(result) == ["remove-pending-replace b", "remove-pending-replace a"]
    assert stack.calls() == []
    stack.up(pair("1", DBR))
    stack.up(pair("2", DBR), breaks="create a")
    torn = tear_down(state=stack.state, providers={"fake": stack.provider})
    assert steps(torn) == ["remove-pending-replace b", "remove-pending-replace a"]


def test_what_is_replaced_goes_last_and_after_its_dependents(stack: Stack) -> None:
    """GenerateDeletes and ScheduleDeletes: deletions wait for the end, dependents first."""
    stack.up(pair("1"))
    stack.up(pair("2"))
    assert stack.calls() == ["create a", "create b", "delete b", "delete a"]


def test_a_replaced_resource_is_retained_if_the_old_one_was_to_be(stack: Stack) -> None:
    """DeleteStep looks at the old state: taking the option off and replacing in one go still retains it."""
    stack.up(thing("a", Opts(retain_on_delete=True), place="1"))
    stack.up(thing("a", place="2"))
    assert stack.calls() == ["create a"]
    stack.up(thing("a", Opts(retain_on_delete=True), place="3"))
    assert stack.calls() == ["create a", "delete a"]


def with_deleted_with(place: str, first: Opts | None) -> Program:
    def program() -> None:
        a = Thing("a", first, place=place, word=place)
        Thing("b", Opts(deleted_with=a), place=a.said)
        Thing("c", Opts(deleted_with=a))

    return program


def test_what_goes_with_a_replaced_resource_is_not_deleted_at_the_end(stack: Stack) -> None:
    """isDeletedWith: GenerateDeletes counts a replaced resource as deleted. One that is not replaced itself stays."""
    stack.up(with_deleted_with("1", None))
    assert stack.up(with_deleted_with("2", None)).succeeded
    assert stack.calls() == ["create a", "create b", "delete a"]


def test_what_goes_with_a_resource_that_is_deleted_first_is_deleted_itself(stack: Stack) -> None:
    """isDeletedWith: the root of a delete-before-replace is not among the deletions (pulumi/pulumi#19924)."""
    stack.up(with_deleted_with("1", DBR))
    assert stack.up(with_deleted_with("2", DBR)).succeeded
    assert stack.calls() == ["delete b", "delete a", "create a", "create b"]


def replaced_with(place: str, first: Opts | None = None, named: bool = True) -> Program:
    def program() -> None:
        a = Thing("a", first, place=place)
        Thing("b", Opts(replace_with=[a] if named else []))

    return program


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (None, ["create a", "create b", "delete b", "delete a"]),
        (DBR, ["delete b", "delete a", "create a", "create b"]),
    ],
)
def test_replace_with_follows_in_both_ways_of_replacing(stack: Stack, first: Opts | None, wanted: list[str]) -> None:
    """TestReplaceWith and TestReplaceWithDeleteBeforeReplace of pkg/engine/lifecycletest."""
    stack.up(replaced_with("1", first))
    assert stack.up(replaced_with("2", first)).succeeded
    assert stack.calls() == wanted


def test_replace_with_counts_as_the_program_has_it_now(stack: Stack) -> None:
    stack.up(replaced_with("1"))
    stack.up(replaced_with("2", named=False))
    assert stack.calls() == ["create a", "delete a"]


def test_a_component_gives_way_to_a_resource_of_its_name(stack: Stack) -> None:
    """providerChanged: a component has no provider, so the reference differs."""

    class Hollow(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__(TYPE, "a")

    def hollow() -> None:
        Hollow()

    stack.up(hollow)
    assert steps(stack.up(thing("a"))) == ["create-replacement a", "replace a", "delete-replaced a"]
    assert steps(stack.up(hollow)) == ["create-replacement a", "replace a", "delete-replaced a"]
    assert stack.calls() == ["delete a"]


def test_a_changed_component_starts_without_its_old_outputs(stack: Stack) -> None:
    """UpdateStep sets outputs of custom resources only; SameStep keeps them."""

    def program(word: str, *, told: bool) -> Program:
        class Telling(pulumi.ComponentResource):
            def __init__(self) -> None:
                super().__init__("fake:index:Telling", "t", {"word": word})
                if told:
                    self.register_outputs({"word": word})

        return only(lambda: Telling())

    def outputs() -> object:
        return next(one.outputs for one in saved(stack.state) if one.name == "t")

    stack.up(program("1", told=True))
    stack.up(program("1", told=False))
    assert outputs() == {"word": "1"}
    stack.up(program("2", told=False))
    assert outputs() == {}


def test_a_preview_after_a_failure_shows_what_is_left_to_do(stack: Stack) -> None:
    stack.up(pair("1"), breaks="create b")
    assert steps(stack.up(pair("1"), preview=True)) == ["same a", "create b"]


def test_many_resources_at_once(stack: Stack) -> None:
    def program() -> None:
        for number in range(100):
            Thing(f"thing-{number:03}")

    assert stack.up(program).succeeded
    assert len(stack.names()) == 100
    torn = tear_down(state=stack.state, providers={"fake": stack.provider})
    assert torn.succeeded
    assert stack.names() == set()


def test_a_deep_chain_is_deleted_from_its_end(stack: Stack) -> None:
    def program() -> None:
        last = Thing("t00")
        for number in range(1, 30):
            last = Thing(f"t{number:02}", Opts(depends_on=[last]))

    stack.up(program)
    stack.up(lambda: None)
    assert stack.calls() == [f"delete t{number:02}" for number in reversed(range(30))]

"""Hooks: the program's functions before and after an operation (step.go, RunHooks)."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceOptions

from infra.rehearsal import Result, run, tear_down
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Thing, fake
from tests.infra.rehearsal.things import program as only

MOMENTS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")
Program = Callable[[], None]


def bound(hooks: dict[str, ResourceHook]) -> ResourceHookBinding:
    binding = ResourceHookBinding()
    for moment, hook in hooks.items():
        setattr(binding, moment, [hook])
    return binding


class Heard:
    """Programs whose hooks write down when they ran and what they were told."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.lines: list[str] = []
        self.told: dict[str, ResourceHookArgs] = {}
        self.provider = fake()

    def hook(self, moment: str, name: str = "", **options: bool) -> ResourceHook:
        def note(args: ResourceHookArgs) -> None:
            self.lines.append(f"{moment} {args.name}")
            self.told[moment] = args
            if name.startswith("fail"):
                raise RuntimeError("the hook is broken")

        return ResourceHook(name or moment, note, ResourceHookOptions(**options) if options else None)

    def all_hooks(self) -> ResourceHookBinding:
        return bound({moment: self.hook(moment) for moment in MOMENTS})

    def one(self, moment: str, name: str = "", **options: bool) -> ResourceOptions:
        return ResourceOptions(hooks=bound({moment: self.hook(moment, name, **options)}))

    def up(self, program: Program, *, preview: bool = False) -> Result:
        self.lines, self.provider = [], fake()
        return run(program, providers={"fake": self.provider}, state=self.state, preview=preview)


@pytest.fixture
def heard(tmp_path: Path) -> Heard:
    return Heard(tmp_path / "state.json")


def thing(heard: Heard, **inputs: str) -> Program:
    return only(lambda: Thing("a", ResourceOptions(hooks=heard.all_hooks()), **inputs))


def test_they_run_around_each_operation(heard: Heard) -> None:
    heard.up(thing(heard, word="1"))
    assert heard.lines == ["before_create a", "after_create a"]
    heard.up(thing(heard, word="1"))
    assert heard.lines == []
    heard.up(thing(heard, word="2"))
    assert heard.lines == ["before_update a", "after_update a"]
    heard.up(thing(heard, word="2", place="there"))
    assert heard.lines == ["before_create a", "after_create a", "before_delete a", "after_delete a"]

    def only_the_hooks() -> None:
        heard.all_hooks()

    heard.up(only_the_hooks)
    assert heard.lines == ["before_delete a", "after_delete a"]


def test_they_are_told_what_was_and_what_is(heard: Heard) -> None:
    heard.up(thing(heard, word="1"))
    created = heard.told["after_create"]
    assert (created.name, created.type, created.id, created.old_inputs) == ("a", TYPE, "a-id", None)
    assert created.new_outputs is not None
    assert created.new_outputs["said"] == "a 1"
    heard.up(thing(heard, word="2"))
    updated = heard.told["after_update"]
    assert updated.old_inputs is not None
    assert updated.new_inputs is not None
    assert (updated.old_inputs["word"], updated.new_inputs["word"]) == ("1", "2")


def test_a_failing_one_before_forbids_the_operation(heard: Heard) -> None:
    result = heard.up(only(lambda: Thing("a", heard.one("before_create", "fail"))))
    assert not result.succeeded
    assert "the hook 'fail' (before_create) failed: the hook is broken" in result.diagnostics[0].message
    assert heard.provider.calls == []


def test_a_failing_one_after_leaves_what_was_done_and_fails_the_run(heard: Heard) -> None:
    def program() -> None:
        first = Thing("a", heard.one("after_create", "fail"))
        Thing("b", ResourceOptions(depends_on=[first]))

    assert not heard.up(program).succeeded
    assert [one.name for one in saved(heard.state) if one.type == TYPE] == ["a"]


def test_one_whose_errors_are_ignored_only_warns(heard: Heard) -> None:
    result = heard.up(only(lambda: Thing("a", heard.one("before_create", "fail", ignore_errors=True))))
    assert result.succeeded
    assert [one.severity for one in result.diagnostics] == ["warning"]


@pytest.mark.parametrize(("on_dry_run", "lines"), [(False, []), (True, ["before_create a"])])
def test_a_preview_runs_those_that_ask_for_it(heard: Heard, on_dry_run: bool, lines: list[str]) -> None:
    heard.up(only(lambda: Thing("a", heard.one("before_create", on_dry_run=on_dry_run))), preview=True)
    assert heard.lines == lines


def test_a_components_hook_after_waits_for_its_outputs(heard: Heard) -> None:
    """executeRegisterResourceOutputs runs them."""

    class Telling(pulumi.ComponentResource):
        def __init__(self) -> None:
            hooks = ResourceHookBinding(
                before_create=[heard.hook("before_create")], after_create=[heard.hook("after_create")]
            )
            super().__init__("fake:index:Telling", "t", None, ResourceOptions(hooks=hooks))
            self.register_outputs({"word": "told"})

    heard.up(only(lambda: Telling()))
    assert heard.lines == ["before_create t", "after_create t"]
    assert heard.told["after_create"].new_outputs == {"word": "told"}


def test_destroy_needs_the_program_for_hooks_on_deletion(heard: Heard) -> None:
    """RunHooks: a hook that is not registered is an error."""
    heard.up(thing(heard))
    result = tear_down(state=heard.state, providers={"fake": heard.provider})
    assert not result.succeeded
    assert "the resource hook 'before_delete' is not registered" in result.diagnostics[0].message
    assert [one.name for one in saved(heard.state) if one.type == TYPE] == ["a"]


def test_two_hooks_of_one_name_are_refused(heard: Heard) -> None:
    def program() -> None:
        hooks = ResourceHookBinding(before_create=[heard.hook("one", "same"), heard.hook("two", "same")])
        Thing("a", ResourceOptions(hooks=hooks))

    result = heard.up(program)
    assert not result.succeeded
    assert any("'same' is registered twice" in one.message for one in result.diagnostics)

"""Reading what exists: references to other stacks, and `get` (step_generator.go, GenerateReadSteps; builtins.go)."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from pulumi import Output, ResourceOptions, StackReference
from pulumi_command import local

from infra.rehearsal import Result, run, tear_down
from infra.rehearsal.neighbours import outputs_beside
from infra.rehearsal.providers.base import Provider
from infra.rehearsal.providers.command import Command
from infra.rehearsal.providers.process import Processes
from infra.rehearsal.state import State
from infra.rehearsal.values import Values, secret
from tests.infra.rehearsal.support import saved, store
from tests.infra.rehearsal.things import Thing, fake
from tests.infra.rehearsal.things import program as only

REFERENCE = "pulumi:pulumi:StackReference"
Program = Callable[[], None]


def answers(project: str, stack: str) -> Values:
    if (project, stack) != ("web", "prod"):
        raise LookupError(f"there is no {stack}")
    return {"url": "https://a.test", "token": secret("hush-hush")}


def up(program: Program, state: Path) -> Result:
    providers: dict[str, Provider] = {
        "fake": fake(),
        "command": Command(state.parent, {"PATH": "/usr/bin:/bin"}, Processes()),
    }
    return run(program, providers=providers, state=state, outputs_of=answers)


def steps(result: Result) -> list[str]:
    own = [one for one in result.operations if not one.resource.is_default_provider and not one.resource.is_stack]
    return [f"{one.op} {one.resource.name}" for one in own]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def referring() -> None:
    other = StackReference("organization/web/prod")
    Thing("a", word=other.require_output("url"), key=other.require_output("token"))
    pulumi.export("url", other.get_output("url"))
    pulumi.export("token", other.get_output("token"))
    pulumi.export("absent", other.get_output("absent").apply(lambda value: value is None))


def test_a_stack_reference_gives_outputs_and_keeps_secrets(state: Path) -> None:
    result = up(referring, state)
    assert result.outputs == {"url": "https://a.test", "token": secret("hush-hush"), "absent": True}
    assert result.find("a").inputs == {"word": "https://a.test", "key": secret("hush-hush")}
    assert "hush-hush" not in state.read_text()


def test_it_is_read_in_every_run_and_let_go_without_a_deletion(state: Path) -> None:
    assert steps(up(referring, state)) == ["read organization/web/prod", "create a"]
    assert steps(up(referring, state)) == ["read organization/web/prod", "same a"]
    reference = next(one for one in saved(state) if one.type == REFERENCE)
    assert (reference.external, reference.id) == (True, "organization/web/prod")
    assert steps(up(only(lambda: Thing("a")), state)) == ["update a", "read-discard organization/web/prod"]
    up(referring, state)
    assert "read-discard organization/web/prod" in steps(tear_down(state=state, providers={"fake": fake()}))


def test_a_stack_that_nobody_knows_is_named(state: Path) -> None:
    result = up(only(lambda: StackReference("nowhere")), state)
    assert not result.succeeded
    assert "unknown stack 'nowhere': there is no nowhere" in result.diagnostics[0].message


def test_a_command_that_exists_is_taken_as_it_is_given(state: Path) -> None:
    result = up(lambda: pulumi.export("id", local.Command.get("c", "an-id").id), state)
    assert result.outputs == {"id": "an-id"}
    assert steps(result) == ["read c"]


def test_what_this_stack_made_gives_way_to_what_is_read_and_back(state: Path) -> None:
    """GenerateReadSteps: read-replacement unless the ids agree; continueStepsFromImport: wasExternal is replaced."""

    def made() -> None:
        local.Command("c", create="true")

    def found() -> None:
        local.Command.get("c", "an-id")

    up(made, state)
    assert steps(up(found, state)) == ["read-replacement c", "replace c", "delete-replaced c"]
    assert steps(up(found, state)) == ["read c"]
    assert steps(up(made, state)) == ["create-replacement c", "replace c", "discard-replaced c"]


def test_other_types_cannot_be_read(state: Path) -> None:
    class Other(pulumi.CustomResource):
        def __init__(self) -> None:
            super().__init__("fake:index:Other", "o", {}, ResourceOptions(id="x"))

    result = up(only(lambda: Other()), state)
    assert "cannot read an existing fake:index:Other" in result.diagnostics[0].message


def beside(own: Path) -> Callable[[str, str], Values]:
    def load(path: Path) -> State:
        return store(path).load()

    return outputs_beside(own, "project", "test", load)


def test_the_states_of_other_stacks_lie_beside_it(tmp_path: Path) -> None:
    def program() -> None:
        pulumi.export("word", "from the other")
        pulumi.export("key", Output.secret("hush-hush"))

    run(program, providers={}, stack="other", state=tmp_path / "other.json")
    find = beside(tmp_path / "test.json")
    assert find("", "other") == {"word": "from the other", "key": secret("hush-hush")}
    assert find("project", "other")["word"] == "from the other"
    with pytest.raises(LookupError, match=r"is not a state of stack 'other' of 'web'"):
        find("web", "other")
    with pytest.raises(LookupError, match=r"there is no state .*third\.json"):
        find("", "third")


def test_a_stack_may_refer_to_its_own_last_outputs(tmp_path: Path) -> None:
    state = tmp_path / "any-name.json"
    run(lambda: pulumi.export("word", "before"), providers={}, state=state)
    assert beside(state)("project", "test") == {"word": "before"}

"""What the vectors do not show: resumed replacements, protection, lost resources, going on after errors, interrupts."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest
from pulumi import Output, ResourceOptions

from infra.rehearsal import Fake, Result, run, tear_down
from infra.rehearsal.journal import Diagnostic, Operation
from infra.rehearsal.providers.base import Call, Made, ProviderError
from infra.rehearsal.values import UNKNOWN, Values, secret
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Group, Thing, fake

Program = Callable[[], None]


class Failing(Fake):
    """Fails the operations that `fails` names."""

    fails: frozenset[tuple[str, str]] = frozenset()

    def create(self, call: Call) -> Made:
        self._fail("create", call)
        return super().create(call)

    def update(self, call: Call) -> Values:
        self._fail("update", call)
        return super().update(call)

    def delete(self, call: Call) -> None:
        self._fail("delete", call)
        super().delete(call)

    def _fail(self, operation: str, call: Call) -> None:
        if (operation, call.resource.name) in self.fails:
            raise ProviderError(f"cannot {operation} {call.resource.name}")


def failing(*fails: tuple[str, str]) -> Failing:
    provider = Failing(outputs=fake().outputs, replaces=["place"])
    provider.fails = frozenset(fails)
    return provider


def up(
    program: Program,
    state: Path,
    provider: Fake | None = None,
    *,
    preview: bool = False,
    continue_on_error: bool = False,
) -> Result:
    return run(
        program,
        providers={"fake": provider or fake()},
        state=state,
        preview=preview,
        continue_on_error=continue_on_error,
    )


def changes(result: Result) -> dict[str, str | list[str]]:
    return {urn.rpartition("::")[2]: change for urn, change in result.changes.items() if "default" not in urn}


def operations(result: Result) -> list[str]:
    return [f"{one.op} {one.resource.name}" for one in result.operations if not one.resource.is_default_provider]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def chain(place: str) -> Program:
    """`b` is replaced when what it gets from `a` changes; `a` deletes first."""

    def program() -> None:
        a = Thing("a", place=place, word=place, opts=ResourceOptions(delete_before_replace=True))
        Thing("b", place=a.said)

    return program


def test_a_replacement_whose_creation_failed_is_resumed_without_deleting_it_again(state: Path) -> None:
    """Its dependents are: calculateDependentReplacements takes no notice of what is pending (engine 3.253)."""
    up(chain("here"), state)
    broken = up(chain("there"), state, failing(("create", "a")))
    assert not broken.succeeded
    assert {it.name for it in saved(state) if it.pending_replacement} == {"a", "b"}

    provider = fake()
    result = up(chain("there"), state, provider)
    assert result.succeeded
    assert provider.calls == [("delete", "b"), ("create", "a"), ("create", "b")]
    assert changes(result).items() >= {"a": "replace", "b": "replace"}.items()
    assert operations(result)[1:] == [
        "delete-replaced b",
        "replace a",
        "create-replacement a",
        "replace b",
        "create-replacement b",
    ]
    assert not any(one.pending_replacement for one in saved(state))


def test_what_was_deleted_for_a_replacement_and_is_wanted_no_more_is_forgotten(state: Path) -> None:
    up(chain("here"), state)
    up(chain("there"), state, failing(("create", "a")))
    provider = fake()
    result = up(lambda: None, state, provider)
    assert result.succeeded
    assert provider.calls == []
    assert changes(result).items() >= {"a": "delete", "b": "delete"}.items()
    assert [one.type for one in saved(state) if one.type == TYPE] == []


def test_a_failed_deletion_before_a_replacement_is_tried_again(state: Path) -> None:
    up(chain("here"), state)
    broken = up(chain("there"), state, failing(("delete", "a")))
    assert not broken.succeeded
    provider = fake()
    assert up(chain("there"), state, provider).succeeded
    assert provider.calls == [("delete", "b"), ("delete", "a"), ("create", "a"), ("create", "b")]


def one(name: str, opts: ResourceOptions | None = None, **inputs: str) -> Program:
    def program() -> None:
        Thing(name, opts, **inputs)

    return program


def protected(place: str, protect: bool = True) -> Program:
    return one("a", ResourceOptions(protect=protect), place=place)


def test_a_protected_resource_is_not_replaced(state: Path) -> None:
    up(protected("here"), state)
    result = up(protected("there"), state)
    assert not result.succeeded
    assert changes(result)["a"] == "failed"
    assert "remove `protect` from it" in result.diagnostics[0].message


def test_a_preview_shows_the_replacement_that_protection_forbids(state: Path) -> None:
    up(protected("here"), state)
    result = up(protected("there"), state, preview=True)
    assert not result.succeeded
    assert changes(result)["a"] == "replace:failed"
    assert operations(result)[1:] == ["create-replacement a", "replace a", "delete-replaced a"]


def test_taking_protection_off_and_replacing_is_one_step(state: Path) -> None:
    up(protected("here"), state)
    assert changes(up(protected("there", protect=False), state))["a"] == "replace"


def test_a_protected_dependent_stops_a_replacement_that_would_delete_it_first(state: Path) -> None:
    def program(place: str) -> Program:
        def declare() -> None:
            a = Thing("a", place=place, word=place, opts=ResourceOptions(delete_before_replace=True))
            Thing("b", place=a.said, opts=ResourceOptions(protect=True))

        return declare

    up(program("here"), state)
    provider = fake()
    result = up(program("there"), state, provider)
    assert not result.succeeded
    assert provider.calls == []
    assert "part of replacing 'a'" in result.diagnostics[0].message


def test_protection_does_not_keep_other_levels_from_being_deleted(state: Path) -> None:
    def program() -> None:
        base = Thing("base")
        Thing("kept", opts=ResourceOptions(protect=True, depends_on=[base]))
        Thing("other")
        Thing("above", opts=ResourceOptions(depends_on=[Thing("below")]))

    up(program, state)
    result = tear_down(state=state, providers={"fake": fake()})
    assert not result.succeeded
    left = {it.name for it in saved(state) if it.type == TYPE}
    assert left == {"kept", "base"}


def test_destroy_can_leave_protected_resources_and_what_they_need(state: Path) -> None:
    def program() -> None:
        Thing("kept", opts=ResourceOptions(protect=True, parent=Group("group")))
        Thing("other")

    up(program, state)
    result = tear_down(state=state, providers={"fake": fake()}, exclude_protected=True)
    assert result.succeeded
    names = {it.name for it in saved(state)}
    assert {"kept", "group"} <= names
    assert "other" not in names


def simple() -> None:
    a = Thing("a", word="1")
    Thing("b", word=a.said)


def test_what_is_gone_from_the_cloud_is_made_again_and_noted(state: Path) -> None:
    up(simple, state)
    provider = fake(gone={"a"})
    result = up(simple, state, provider)
    assert provider.calls == [("create", "a")]
    assert changes(result).items() >= {"a": "create", "b": "same"}.items()
    assert next(one.note for one in result.operations if one.resource.name == "a") == "it was no longer there"


class Unreachable(Fake):
    def exists(self, call: Call) -> bool:
        raise ProviderError("cannot reach the stand-in")


def test_a_preview_goes_on_when_nobody_can_tell_what_exists(state: Path) -> None:
    up(simple, state)
    preview = up(simple, state, Unreachable(), preview=True)
    assert preview.succeeded
    assert {one.severity for one in preview.diagnostics} == {"warning"}
    assert not up(simple, state, Unreachable()).succeeded


def two_chains() -> None:
    bad = Thing("bad")
    Thing("after", word=bad.said)
    Thing("behind", opts=ResourceOptions(depends_on=[bad]))
    Thing("later", word=Thing("free").said)


def test_with_continue_on_error_what_does_not_need_the_failed_one_is_made(state: Path) -> None:
    up(one("removed"), state)
    provider = failing(("create", "bad"))
    result = up(two_chains, state, provider, continue_on_error=True)
    assert not result.succeeded
    made = {name for operation, name in provider.calls if operation == "create"}
    assert made == {"free", "later"}
    assert ("delete", "removed") in provider.calls
    left_out = {it.message for it in result.diagnostics if it.severity == "info"}
    assert left_out == {"left out: it needs bad, which failed"}
    assert (
        changes(up(two_chains, state)).items()
        >= {"bad": "create", "after": "create", "behind": "create", "free": "same"}.items()
    )


def test_outputs_that_a_failed_run_does_not_give_are_kept(state: Path) -> None:
    def program(names: list[str]) -> Program:
        def declare() -> None:
            for name in names:
                pulumi.export(name, name.upper())
            if names == ["new"]:
                raise RuntimeError("after the exports")

        return declare

    assert up(program(["old", "both"]), state).outputs == {"old": "OLD", "both": "BOTH"}
    failed = up(program(["new"]), state)
    assert not failed.succeeded
    assert failed.outputs == {"old": "OLD", "both": "BOTH", "new": "NEW"}
    assert up(program(["both"]), state).outputs == {"both": "BOTH"}


def test_the_programs_exception_is_told_with_its_place(state: Path) -> None:
    def program() -> None:
        raise ValueError("this is wrong")

    result = up(program, state)
    assert not result.succeeded
    assert "ValueError: this is wrong" in result.diagnostics[0].message
    assert "test_deployment.py" in result.diagnostics[0].message


def test_a_type_that_nobody_makes_is_refused_by_name(state: Path) -> None:
    result = run(simple, providers={}, state=state)
    assert not result.succeeded
    assert any(f"cannot make a {TYPE}" in one.message for one in result.diagnostics)


def test_import_is_refused_with_a_way_out(state: Path) -> None:
    result = up(one("a", ResourceOptions(import_="x")), state)
    assert not result.succeeded
    assert "take `import_` out" in result.diagnostics[0].message


def test_a_timeout_in_another_spelling_is_refused(state: Path) -> None:
    options = ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="5 minutes"))
    result = up(one("a", options), state)
    assert "not a duration" in result.diagnostics[0].message


def test_secrets_stay_marked_on_their_way_through_outputs(state: Path) -> None:
    def program() -> None:
        a = Thing("a", word=Output.secret("hush-hush"), opts=ResourceOptions(additional_secret_outputs=["said"]))
        Thing("b", word=a.said)
        pulumi.export("said", a.said)

    result = up(program, state)
    assert result.find("b").inputs["word"] == result.outputs["said"]
    assert result.find("a").inputs["word"] == secret("hush-hush")
    assert "hush-hush" not in state.read_text()


def test_a_preview_knows_what_it_cannot_know_and_saves_nothing(state: Path) -> None:
    result = up(simple, state, preview=True)
    assert result.find("b").inputs["word"] == UNKNOWN
    assert not state.exists()


class Watching:
    """A listener that notes how many operations run when one fails to begin."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def began(self, operation: Operation) -> None:
        self.lines.append(f"began {operation.op} {operation.resource.name}")

    def ended(self, operation: Operation) -> None:
        self.lines.append(f"ended {operation.op} {operation.resource.name}")

    def said(self, urn: str, line: str) -> None:
        self.lines.append(f"said {line}")

    def diagnosed(self, diagnostic: Diagnostic) -> None:
        self.lines.append(diagnostic.message)


def test_a_listener_hears_each_step_begin_and_end(state: Path) -> None:
    listener = Watching()
    run(one("a"), providers={"fake": fake()}, state=state, listener=listener)
    assert listener.lines[-2:] == ["began create a", "ended create a"]


def test_what_the_program_logs_is_heard_and_does_not_fail_the_run(state: Path) -> None:
    def program() -> None:
        pulumi.log.warn("watch out")
        pulumi.log.error("but go on")
        pulumi.log.debug("not this")

    result = up(program, state)
    assert result.succeeded
    assert [(one.severity, one.message) for one in result.diagnostics] == [
        ("warning", "watch out"),
        ("error", "but go on"),
    ]


async def test_it_runs_where_an_event_loop_is_running(state: Path) -> None:
    assert up(simple, state).succeeded


def test_a_resource_is_found_by_its_name_or_the_names_are_listed(state: Path) -> None:
    result = up(simple, state)
    assert result.find("a", "Thing").outputs["said"] == "a 1"
    with pytest.raises(LookupError, match=r"0 resources are called 'c'; there are: .*Thing a"):
        result.find("c")


def test_an_unchanged_state_is_not_written(state: Path) -> None:
    up(simple, state)
    before = state.stat().st_mtime_ns, state.read_bytes()
    up(simple, state)
    assert (state.stat().st_mtime_ns, state.read_bytes()) == before


def test_functions_are_answered_and_their_errors_told(state: Path) -> None:
    def program(token: str) -> Program:
        def declare() -> None:
            found = pulumi.runtime.invoke_output(token, {"name": "x"})
            pulumi.export("found", found.apply(lambda it: it["id"]))

        return declare

    provider = fake(answers={"fake:index:find": {"id": "id-of-x"}})
    assert up(program("fake:index:find"), state, provider).outputs == {"found": "id-of-x"}
    result = up(program("other:index:find"), state, provider)
    assert "cannot call other:index:find" in result.diagnostics[0].message


def test_a_default_provider_takes_its_settings_from_its_packages_namespace(state: Path) -> None:
    result = run(
        one("a"),
        providers={"fake": fake()},
        config={"fake:url": "http://127.0.0.1:1", "fake:token": "hush-hush", "project:other": "x"},
        secret_keys=frozenset({"fake:token"}),
        state=state,
    )
    provider = next(it for it in saved(state) if it.urn == result.find("a").provider)
    assert provider.inputs == {"url": "http://127.0.0.1:1", "token": secret("hush-hush")}

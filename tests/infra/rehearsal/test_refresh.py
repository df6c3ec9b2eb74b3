"""What others changed or deleted is found, told and taken into the state (step.go, RefreshStep)."""

from pathlib import Path

import pytest
from pulumi import ResourceOptions

from infra.rehearsal import Fake, Result, run
from infra.rehearsal.api import look_again
from infra.rehearsal.journal import Journal
from infra.rehearsal.providers.cloudflare.drift import drifted
from infra.rehearsal.values import Values
from tests.infra.rehearsal.support import saved
from tests.infra.rehearsal.things import TYPE, Group, Thing, fake


def program() -> None:
    a = Thing("a", word="1", place="here")
    Thing("b", ResourceOptions(parent=Group("group")), word=a.said)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    run(program, providers={"fake": fake()}, state=path)
    return path


def looked(result: Result) -> list[str]:
    return sorted(f"{one.resource.name} {one.result_op} {one.changes.keys}" for one in result.operations)


def inputs(state: Path) -> dict[str, Values]:
    return {one.name: one.inputs for one in saved(state) if one.type == TYPE}


def test_where_nothing_changed_nothing_is_written(state: Path) -> None:
    before = state.read_bytes()
    result = look_again(state=state, providers={"fake": fake()})
    assert looked(result) == ["a same []", "b same []"]
    assert state.read_bytes() == before


def test_what_somebody_changed_is_taken_into_the_state_and_put_right_by_the_next_up(state: Path) -> None:
    result = look_again(state=state, providers={"fake": fake(drifted={"a": {"word": "other"}})})
    assert looked(result) == ["a update ['word']", "b same []"]
    assert inputs(state)["a"]["word"] == "other"
    again = run(program, providers={"fake": fake()}, state=state)
    assert [one.op for one in again.operations if one.resource.name == "a"] == ["update"]
    assert inputs(state)["a"]["word"] == "1"


def test_what_somebody_deleted_leaves_the_state_also_where_others_name_it(state: Path) -> None:
    result = look_again(state=state, providers={"fake": fake(gone={"a"})})
    assert looked(result) == ["a delete []", "b same []"]
    (left,) = (one for one in saved(state) if one.type == TYPE)
    assert (left.name, left.dependencies, left.property_dependencies) == ("b", [], {})
    again = run(program, providers={"fake": fake()}, state=state)
    assert [one.op for one in again.operations if one.resource.name == "a"] == ["create"]


def test_a_look_alone_changes_nothing(state: Path) -> None:
    before = state.read_bytes()
    result = look_again(state=state, providers={"fake": fake(gone={"a"})}, preview=True)
    assert looked(result)[0] == "a delete []"
    assert state.read_bytes() == before


class Mute(Fake):
    read = None  # type: ignore[assignment]


def test_a_provider_that_cannot_read_is_named(state: Path) -> None:
    result = look_again(state=state, providers={"fake": Mute()})
    assert not result.succeeded
    assert f"a {TYPE} cannot be read here" in result.diagnostics[0].message


def test_a_look_counts_as_what_it_found_but_not_beside_other_steps(state: Path) -> None:
    def counted(result: Result) -> dict[str, int]:
        journal = Journal()
        journal.operations = result.operations
        return journal.summary()

    found = look_again(state=state, providers={"fake": fake(gone={"a"})})
    assert counted(found) == {"delete": 1, "same": 1}
    made = run(program, providers={"fake": fake()}, state=state)
    made.operations[:0] = found.operations
    assert counted(made) == {"create": 1, "same": 3}


@pytest.mark.parametrize(
    ("asked", "answer", "inputs", "changed"),
    [
        ({"name": "a"}, {"name": "a", "other": 1}, {"name": "a"}, {}),
        ({"name": "a"}, {"name": "b"}, {"name": "a"}, {"name": "b"}),
        ({"name": "a"}, {}, {"name": "a"}, {}),
        ({"name": "a"}, "no object", {"name": "a"}, {}),
        ({"zone_tag": "a"}, {"zone_tag": "b"}, {"zoneTag": "a"}, {"zoneTag": "b"}),
        ({"rules": [{"id": "1"}]}, {"rules": [{"id": "1", "enabled": True}]}, {"rules": [{"id": "1"}]}, {}),
        ({"rules": [{"id": "1"}]}, {"rules": []}, {"rules": [{"id": "1"}]}, {"rules": []}),
        ({"rules": [{"id": "1"}]}, {"rules": [{"id": "2"}]}, {"rules": [{"id": "1"}]}, {"rules": [{"id": "2"}]}),
        ({"rules": [1]}, {"rules": 1}, {"rules": [1]}, {"rules": 1}),
        ({"deep": {"a": 1}}, {"deep": {"a": 1, "b": 2}}, {"deep": {"a": 1}}, {}),
        ({"deep": {"a": 1}}, {"deep": {"b": 2}}, {"deep": {"a": 1}}, {"deep": {"b": 2}}),
        ({"deep": {"a": 1}}, {"deep": 1}, {"deep": {"a": 1}}, {"deep": 1}),
        ({"note": None}, {"note": "x"}, {"note": None}, {}),
        ({"location_hint": "x"}, {"location": "y"}, {"location": "x"}, {}),
    ],
)
def test_drift_is_what_was_asked_for_and_is_other_now(
    asked: Values, answer: object, inputs: Values, changed: Values
) -> None:
    assert drifted(asked, answer, inputs) == changed

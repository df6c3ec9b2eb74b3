"""Decisions about one resource, as a table: what there was and what is wanted -> what is done."""

from dataclasses import replace
from typing import Any

import pytest

from infra.rehearsal.decide import Circumstances, Kind, decide
from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.resource import Goal, Resource
from infra.rehearsal.values import UNKNOWN, Values, secret

GOAL = Goal(type="pkg:index:Thing", name="thing", inputs={"size": 1, "place": "here"})
OLD = Resource("urn:pulumi:s::p::pkg:index:Thing::thing", GOAL.type, "thing", True, "id-1", inputs=dict(GOAL.inputs))


def diff(old: Resource, inputs: Values) -> Changes:
    """A provider whose `place` cannot change in place; there the old one must go first."""
    return Changes(compare(old.inputs, inputs), delete_first=True).replacing(["place"])


def goal(inputs: Values | None = None, **options: Any) -> Goal:
    return replace(GOAL, inputs=GOAL.inputs | (inputs or {}), **options)


@pytest.mark.parametrize(
    ("old", "wanted", "kind"),
    [
        (None, goal(), Kind.CREATE),
        (OLD, goal(), Kind.SAME),
        (OLD, goal(protect=True, dependencies=("urn:other",)), Kind.SAME),
        (OLD, goal({"size": 2}), Kind.UPDATE),
        (OLD, goal({"size": secret(1)}), Kind.UPDATE),
        (OLD, goal({"extra": "new"}), Kind.UPDATE),
        (OLD, goal({"place": "there"}), Kind.REPLACE),
        (OLD, goal({"size": 2}, replace_on_changes=("size",)), Kind.REPLACE),
        (OLD, goal({"size": 2}, replace_on_changes=("*",)), Kind.REPLACE),
        (OLD, goal({"size": 2}, replace_on_changes=("other",)), Kind.UPDATE),
        (OLD, goal({"size": 2}, ignore_changes=("size",)), Kind.SAME),
        (OLD, goal({"size": 2, "place": "there"}, ignore_changes=("*",)), Kind.SAME),
        (OLD, goal({"size": 2, "place": "there"}, ignore_changes=("place",)), Kind.UPDATE),
        (OLD, goal(replace_with=("urn:other",)), Kind.SAME),
        (replace(OLD, pending_replacement=True), goal(), Kind.REPLACE),
        (replace(OLD, pending_replacement=True), goal({"size": 2}), Kind.REPLACE),
        (replace(OLD, external=True), goal(), Kind.REPLACE),
        (replace(OLD, custom=False), goal(), Kind.REPLACE),
        (OLD, goal(custom=False), Kind.REPLACE),
        (replace(OLD, custom=False), goal({"size": 2}, custom=False, replace_on_changes=("size",)), Kind.UPDATE),
        (OLD, goal({"size": 2}, ignore_changes=("",)), Kind.UPDATE),
        (OLD, goal({"size": 2}, ignore_changes=("size[",)), Kind.UPDATE),
        (OLD, goal({"size": 2}, ignore_changes=("size[", "size")), Kind.SAME),
        (OLD, goal(replacement_trigger="1"), Kind.SAME),
        (replace(OLD, replacement_trigger="1"), goal(), Kind.SAME),
        (replace(OLD, replacement_trigger="1"), goal(replacement_trigger="1"), Kind.SAME),
        (replace(OLD, replacement_trigger="1"), goal(replacement_trigger="2"), Kind.REPLACE),
        (replace(OLD, replacement_trigger="1"), goal(replacement_trigger=secret("1")), Kind.SAME),
        (replace(OLD, replacement_trigger=secret(["1"])), goal(replacement_trigger=secret(["2"])), Kind.REPLACE),
        (replace(OLD, replacement_trigger="1"), goal(replacement_trigger=UNKNOWN), Kind.REPLACE),
    ],
)
def test_kind(old: Resource | None, wanted: Goal, kind: Kind) -> None:
    assert decide(old, wanted, diff, Circumstances()).kind is kind


def test_what_is_lost_is_created() -> None:
    assert decide(OLD, goal({"size": 2}), diff, Circumstances(lost=True)).kind is Kind.CREATE


def test_what_a_run_was_stopped_in_is_updated_even_if_nothing_changed() -> None:
    assert decide(OLD, goal(), diff, Circumstances(unsettled=True)).kind is Kind.UPDATE


def test_what_this_run_deleted_is_replaced_even_if_nothing_changed() -> None:
    decision = decide(OLD, goal(), diff, Circumstances(deleted=True))
    assert (decision.kind, decision.already_deleted) == (Kind.REPLACE, True)


def test_what_an_earlier_run_deleted_is_not_deleted_again() -> None:
    decision = decide(replace(OLD, pending_replacement=True), goal({"place": "there"}), diff, Circumstances())
    assert (decision.kind, decision.already_deleted, decision.delete_first) == (Kind.REPLACE, True, True)


@pytest.mark.parametrize("option", [None, False, True])
def test_what_is_pending_is_deleted_again_only_if_the_new_one_comes_first(option: bool | None) -> None:
    """continueStepsFromDiff: without delete_before_replace the old one is marked for deletion once more."""
    old, fresh = replace(OLD, pending_replacement=True), lambda _, inputs: Changes(compare(OLD.inputs, inputs))
    decision = decide(old, goal(delete_before_replace=option), fresh, Circumstances())
    assert (decision.delete_first, decision.already_deleted) == (bool(option), bool(option))


def test_what_this_run_deleted_keeps_its_ignored_paths_checked() -> None:
    old = replace(OLD, inputs={"tags": ["a"]})
    with pytest.raises(ValueError, match="elements of the path are missing"):
        decide(
            old, replace(GOAL, inputs={"tags": ["b"]}, ignore_changes=("tags[3]",)), diff, Circumstances(deleted=True)
        )


def test_protection_also_holds_while_a_replacement_is_pending() -> None:
    old = replace(OLD, pending_replacement=True, protect=True)
    decision = decide(old, goal(protect=True), diff, Circumstances())
    assert decision.error.startswith("unable to replace resource 'thing' as it is protected")


def test_reasons_of_the_engine_come_before_the_providers_comparison() -> None:
    def never(old: Resource, inputs: Values) -> Changes:
        raise AssertionError("not asked")

    wanted = goal(replace_with=("urn:other",), replacement_trigger="2")
    old = replace(OLD, replacement_trigger="1")
    by_other = decide(old, wanted, never, Circumstances(replaced=frozenset({"urn:other"})))
    by_trigger = decide(old, wanted, never, Circumstances())
    by_kind = decide(replace(old, custom=False), wanted, never, Circumstances())
    assert [one.changes.replace_keys for one in (by_other, by_trigger, by_kind)] == [
        ["replaceWith"],
        ["replacementTrigger"],
        ["provider"],
    ]


@pytest.mark.parametrize(
    ("old", "wanted", "circumstances", "inputs"),
    [
        (None, goal(), Circumstances(), {"size": 1, "place": "here"}),
        (OLD, goal(), Circumstances(lost=True), {"size": 1, "place": "here"}),
        (OLD, goal({"size": 2}, ignore_changes=("size",)), Circumstances(), {"size": 1, "place": "here"}),
        (OLD, goal({"size": 2}, ignore_changes=("size",)), Circumstances(deleted=True), {"size": 2, "place": "here"}),
        (replace(OLD, external=True), goal({"size": 2}), Circumstances(), {"size": 2, "place": "here"}),
    ],
)
def test_the_provider_gets_checked_inputs(
    old: Resource | None, wanted: Goal, circumstances: Circumstances, inputs: Values
) -> None:
    """Checked are the inputs as they will be: with what is ignored put back, unless it is made anew."""
    decision = decide(old, wanted, diff, circumstances, check=lambda given: {**given, "checked": True})
    assert decision.inputs == {**inputs, "checked": True}


def test_replace_with_follows_a_replacement() -> None:
    decision = decide(OLD, goal(replace_with=("urn:other",)), diff, Circumstances(replaced=frozenset({"urn:other"})))
    assert decision.kind is Kind.REPLACE


@pytest.mark.parametrize(("option", "first"), [(None, True), (False, False), (True, True)])
def test_the_program_overrides_whether_the_old_one_goes_first(option: bool | None, first: bool) -> None:
    decision = decide(OLD, goal({"place": "there"}, delete_before_replace=option), diff, Circumstances())
    assert decision.delete_first is first


def test_a_replacement_gets_the_programs_inputs_also_the_ignored_ones() -> None:
    decision = decide(OLD, goal({"size": 2, "place": "there"}, ignore_changes=("size",)), diff, Circumstances())
    assert decision.inputs == {"size": 2, "place": "there"}


@pytest.mark.parametrize(("before", "now", "refused"), [(True, True, True), (True, False, False), (False, True, False)])
def test_protection_forbids_a_replacement_if_it_was_there_and_still_is(before: bool, now: bool, refused: bool) -> None:
    decision = decide(replace(OLD, protect=before), goal({"place": "there"}, protect=now), diff, Circumstances())
    assert bool(decision.error) is refused
    assert not refused or "'thing' (place changed)" in decision.error


def test_an_ignored_path_that_leads_nowhere_is_named() -> None:
    old = replace(OLD, inputs={"tags": ["a"]})
    with pytest.raises(ValueError, match=r"one or more elements of the path are missing: tags\[3\]"):
        decide(old, replace(GOAL, inputs={"tags": ["b"]}, ignore_changes=("tags[3]",)), diff, Circumstances())

import pytest

from infra.rehearsal.levels import closure, deletion_levels, dependents
from infra.rehearsal.resource import Resource


def thing(name: str, *needs: str, parent: str = "", deleted_with: str = "", delete: bool = False) -> Resource:
    return Resource(
        name, "t", name, True, dependencies=list(needs), parent=parent, deleted_with=deleted_with, delete=delete
    )


def names(levels: list[list[Resource]]) -> list[list[str]]:
    return [sorted(one.name for one in level) for level in levels]


def test_dependents_go_first_and_each_level_is_as_late_as_its_longest_way_down() -> None:
    found = deletion_levels([thing("a"), thing("b", "a"), thing("c", "b"), thing("keep"), thing("d", "a", "c")])
    assert names(found) == [["d"], ["c"], ["b"], ["a", "keep"]]


def test_children_and_what_goes_along_come_before() -> None:
    found = deletion_levels([thing("a"), thing("child", parent="a"), thing("with", deleted_with="a")])
    assert names(found) == [["child", "with"], ["a"]]


def test_only_the_condemned_count() -> None:
    assert names(deletion_levels([thing("a"), thing("c", "kept")])) == [["a", "c"]]


def test_an_older_instance_takes_the_place_of_its_name() -> None:
    assert names(deletion_levels([thing("a", delete=True), thing("b", "a", delete=True)])) == [["b"], ["a"]]


def test_a_circle_is_shown() -> None:
    with pytest.raises(ValueError, match="a -> b -> a"):
        deletion_levels([thing("a", "b"), thing("b", "a")])


def test_dependents_are_in_the_order_of_their_needs() -> None:
    found = dependents("a", [thing("c", "b"), thing("a"), thing("b", "a"), thing("other")])
    assert [one.name for one in found] == ["b", "c"]


def test_closure_follows_needs() -> None:
    assert closure({"c"}, [thing("a"), thing("b", "a"), thing("c", "b"), thing("d")]) == {"a", "b", "c"}

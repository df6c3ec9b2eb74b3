import pytest

from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.values import UNKNOWN, Values, secret


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": 1}, {"a": True}, {"a": "update"}),
        ({}, {"a": None}, {"a": "add"}),
        ({"a": {}}, {}, {"a": "delete"}),
        ({"a": {"x": 1}}, {"a": {"x": 2, "y": 1}}, {"a.x": "update", "a.y": "add"}),
        ({"a": [1, 2]}, {"a": [1]}, {"a[1]": "delete"}),
        ({"a": [1]}, {"a": UNKNOWN}, {"a": "update"}),
        ({"a": "x"}, {"a": secret("x")}, {"a": "update"}),
        ({"a": secret("x")}, {"a": "x"}, {"a": "update"}),
        ({"a": secret("x")}, {"a": secret("x")}, {}),
        ({"a": secret({"k": 1})}, {"a": secret({"k": 2})}, {"a": "update"}),
    ],
)
def test_compare(old: Values, new: Values, found: dict[str, str]) -> None:
    assert compare(old, new) == found


def test_a_pattern_makes_replacements_of_the_changes_it_names() -> None:
    changes = Changes({"a.x": "update", "b": "add"}).replacing(["a"])
    assert changes.detailed == {"a.x": "update-replace", "b": "add"}
    assert changes.replaces
    assert (changes.keys, changes.replace_keys) == (["a", "b"], ["a"])


def test_patterns_do_not_make_changes() -> None:
    assert not Changes({}).replacing(["*"]).replaces

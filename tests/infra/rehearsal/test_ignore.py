import pytest

from infra.rehearsal.ignore import MissingError, reset
from infra.rehearsal.paths import parse
from infra.rehearsal.values import Values, secret


@pytest.mark.parametrize(
    ("old", "new", "path", "result"),
    [
        ({"a": 1}, {"a": 2}, "a", {"a": 1}),
        ({}, {"a": 2}, "a", {}),
        ({"a": 1}, {}, "a", {"a": 1}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, "a.b", {"a": {"b": 1, "c": 2}}),
        ({"a": {}}, {"a": {"b": 2}}, "a.b", {"a": {}}),
        ({}, {}, "a.b", {}),
        ({"a": 1}, {"a": 2}, "a.b", {"a": 2}),
        ({"a": [1, 2]}, {"a": [3, 4]}, "a[1]", {"a": [3, 2]}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b", {"a": [{"b": 1}]}),
        ({"a": [1, 2]}, {"a": [3, 4]}, "a[*]", {"a": [1, 2]}),
        ({"a": 1}, {"a": 2, "b": 2}, "*", {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"x": 2}, "b": {"x": 2}}, "*.x", {"a": {"x": 1}, "b": {"x": 2}}),
    ],
)
def test_reset(old: Values, new: Values, path: str, result: Values) -> None:
    assert reset(old, new, parse(path)) == result


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ({"a": {"b": 1}}, {}, "a.b"),
        ({"a": [1]}, {"a": [1, 2]}, "a[1]"),
        ({"a": [1]}, {"a": [1, 2]}, "a[*]"),
        ({"a": [1]}, {"a": "text"}, "a[0]"),
        ({"a": {"b": 1}}, {"a": "text"}, "a.b"),
    ],
)
def test_a_place_that_only_one_of_them_has_is_an_error(old: Values, new: Values, path: str) -> None:
    with pytest.raises(MissingError):
        reset(old, new, parse(path))


def test_what_was_inside_a_secret_comes_back_as_a_secret() -> None:
    old: Values = {"a": secret({"b": "hidden"})}
    assert reset(old, {"a": {"b": "shown"}}, parse("a.b")) == {"a": {"b": secret("hidden")}}


def test_a_secret_on_the_way_stays_one() -> None:
    assert reset({"a": {"b": 1}}, {"a": secret({"b": 2})}, parse("a.b")) == {"a": secret({"b": 1})}


def test_the_given_values_are_not_changed() -> None:
    new: Values = {"a": {"b": 2}}
    reset({"a": {"b": 1}}, new, parse("a.b"))
    assert new == {"a": {"b": 2}}

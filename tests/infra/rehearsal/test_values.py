from pathlib import Path

import pytest

from infra.rehearsal import wire
from infra.rehearsal.duration import seconds
from infra.rehearsal.values import (
    MARK,
    UNKNOWN,
    Values,
    is_unknown,
    masked,
    merged,
    plain,
    secret,
    secret_texts,
)


def test_masks_hide_secrets_and_name_unknowns() -> None:
    assert masked({"a": secret("x"), "b": [UNKNOWN, {"c": secret(UNKNOWN)}]}) == {
        "a": "[secret]",
        "b": ["[unknown]", {"c": "[secret]"}],
    }


def test_plain_takes_marks_off_at_every_depth() -> None:
    assert plain([secret({"a": secret("x")}), "y"]) == [{"a": "x"}, "y"]


def test_a_secret_is_marked_once() -> None:
    assert secret(secret("x")) == secret("x")


def test_unknown_anywhere_is_unknown() -> None:
    assert is_unknown({"a": [1, {"b": secret(UNKNOWN)}]})
    assert not is_unknown({"a": [1, None, "text"]})


def test_texts_of_secrets_are_found_and_others_are_not() -> None:
    assert secret_texts({"a": secret({"k": "one", "l": ["two"]}), "b": "three"}) == {"one", "two"}


def test_merged_lays_objects_over_each_other_and_takes_the_rest_whole() -> None:
    assert merged({"a": {"x": 1, "y": 1}, "l": [1, 2]}, {"a": {"x": 2}, "l": [3]}) == {"a": {"x": 2, "y": 1}, "l": [3]}
    assert merged({"a": ""}, {"a": secret("kept")}) == {"a": secret("kept")}


def test_numbers_nulls_and_marks_survive_the_wire() -> None:
    values: Values = {"i": 3600, "f": 1.5, "n": None, "l": [1, True], "s": secret({"big": 12345678901})}
    back = wire.load(wire.dump(values))
    assert back == values
    assert isinstance(back["i"], int)


def test_an_asset_is_compared_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "asset.txt"
    asset: Values = {"a": {MARK: "c44067f5952c0a294b673a41bacd8c17", "path": str(file)}}
    file.write_text("one")
    before = wire.load(wire.dump(asset))
    file.write_text("two")
    assert wire.load(wire.dump(asset)) != before
    file.write_text("one")
    assert wire.load(wire.dump(asset)) == before


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("1h30m", 5400), ("500ms", 0.5), ("1.5m", 90)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "5", "5 m", "m5", "5d"])
def test_another_spelling_of_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)

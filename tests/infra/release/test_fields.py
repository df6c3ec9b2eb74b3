"""What one step of a workflow hands to another is there, and is one line."""

import pytest

from infra.release.errors import ReleaseError
from infra.release.fields import fields


def test_each_field_is_a_line_in_the_order_asked_for() -> None:
    assert fields('{"a": "1", "b": "x@sha256:2", "c": "3"}', ["b", "a"]) == ["b=x@sha256:2", "a=1"]


@pytest.mark.parametrize("value", ['""', "null", "3", '"x\\nadmin=yes"', '"x\\u2028y"'])
def test_an_empty_one_or_one_that_leaves_its_line_is_refused(value: str) -> None:
    with pytest.raises(ReleaseError, match="no image"):
        fields(f'{{"image": {value}}}', ["image"])


def test_a_missing_one_is_refused() -> None:
    with pytest.raises(ReleaseError, match="no image"):
        fields("{}", ["image"])


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ReleaseError, match="not JSON"):
        fields("", ["image"])

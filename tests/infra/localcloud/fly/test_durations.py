"""Go durations both ways."""

import pytest

from infra.localcloud.fly.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1m30s", 90), ("1h0m0s", 3600), ("250ms", 0.25), ("1.5s", 1.5), ("0", 0)]
)
def test_parses_what_go_parses(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["often", "", "15", "s", "1s often", "-5s"])
def test_refuses_what_go_refuses_in_its_words(text: str) -> None:
    with pytest.raises(ValueError, match="time: invalid duration") as caught:
        parse_duration(text)
    assert f'"{text}"' in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "1m0s"), (15, "15s"), (3600, "1h0m0s"), (0.25, "250ms"), (300, "5m0s"), (90.5, "1m30.5s")],
)
def test_formats_as_go_does(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text

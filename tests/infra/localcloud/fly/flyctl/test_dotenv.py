"""`secrets import` reads lines as flyctl does, traps included."""

import pytest

from infra.localcloud.fly.flyctl.dotenv import LONGEST_LINE_BYTES, parse
from infra.localcloud.fly.flyctl.errors import CommandError


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("\n# comment\n\nA=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        (" A = 1\n", {"A": "1"}),
        ("A=x=y", {"A": "x=y"}),
        ("A=", {"A": ""}),
        ('A="two words"', {"A": "two words"}),
        ("A='two words'", {"A": "two words"}),
        ('A="half', {"A": '"half'}),
        ('A="a\\nb"', {"A": "a\\nb"}),
        ("A=abc#def", {"A": "abc"}),
        ("A=abc # def", {"A": "abc"}),
        ('A="abc#def"', {"A": "abc#def"}),
        ('A="""one"""', {"A": "one"}),
        ('A="""one\n\ntwo"""\nB=2', {"A": "one\n\ntwo", "B": "2"}),
        ('A="""never closed\nB=2', {}),
        ("A=1\nA=2", {"A": "2"}),
    ],
)
def test_reads(text: str, secrets: dict[str, str]) -> None:
    assert parse(text) == secrets


def test_a_line_that_is_too_long_ends_the_reading_silently() -> None:
    assert parse(f"A=1\nB={'x' * LONGEST_LINE_BYTES}\nC=3") == {"A": "1"}


@pytest.mark.parametrize(("text", "reason"), [("just words", "just words is invalid"), ('A="', "panics")])
def test_refuses(text: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        parse(text)

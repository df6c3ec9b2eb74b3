"""A plan fits into a comment, and what one looks for first is in it."""

import re

from infra.release.plan_text import LIMIT, output, shortened

COST = """pulumi:pulumi:Stack (reel-staging):
    estimated cost, against a budget of 20 USD
    backend        3.19
    total          3.19

"""
VIOLATION = "    [mandatory]  reel v1  bucket-is-protected (reel: storage)\n    the bucket needs protect\n\n"
SUMMARY = "Policies:\n    reel@v1 (local)\nResources:\n    + 3 to create\n    20 unchanged"


def filler(name: str, lines: int) -> str:
    return "".join(f"    {name} {number}: something that changes\n" for number in range(lines))


def long(middle: str) -> str:
    return "Previewing update (staging):\n" + filler("first", 800) + middle + filler("last", 800) + SUMMARY


def test_a_short_plan_is_left_as_it_is() -> None:
    assert shortened(f"{COST}{SUMMARY}\n") == f"{COST}{SUMMARY}"


def test_a_long_one_keeps_beginning_cost_violations_and_summary() -> None:
    text = shortened(long(COST + VIOLATION))
    assert len(text) <= LIMIT
    assert text.startswith("Previewing update (staging):\n    first 0:")
    assert "    total          3.19\n" in text
    assert "    the bucket needs protect\n" in text
    assert text.endswith(SUMMARY)
    assert "the log of the run has them" in text


def test_it_says_how_much_is_left_out() -> None:
    whole = long(COST)
    text = shortened(whole)
    [note] = re.findall(r"^\[….*\]$", text, re.MULTILINE)
    [count] = re.findall(r"\d+", note)
    assert abs(len(whole) - int(count) - (len(text) - len(note))) <= 4  # the line ends around it


def test_what_is_not_cut_is_not_repeated() -> None:
    text = shortened("Previewing\n" + COST + filler("first", 1600) + SUMMARY)
    assert text.count("total          3.19") == text.count("Resources:") == 1


def test_a_plan_of_violations_alone_is_short_too() -> None:
    text = shortened(long(VIOLATION * 5000))
    assert LIMIT / 2 < len(text) <= LIMIT
    assert text.endswith(SUMMARY)


def test_one_endless_line_is_cut() -> None:
    assert LIMIT / 2 < len(shortened("x" * 10 * LIMIT)) <= LIMIT


def test_nothing_that_a_terminal_obeys_or_a_shell_cannot_hold_is_left() -> None:
    assert shortened("a\x1b[31mred\x1b[0m\0\r\nb\t…é") == "ared\nb\t…é"


def test_no_text_ends_its_own_output() -> None:
    first, second = (output("staging", "x\nEOF\nadmin=yes") for _ in range(2))
    name, end = first.splitlines()[0].split("<<")
    assert name == "staging"
    assert first.splitlines() == [f"staging<<{end}", "x", "EOF", "admin=yes", end]
    assert end != second.splitlines()[-1]

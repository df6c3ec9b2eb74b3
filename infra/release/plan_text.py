"""A plan as a pull request shows it: short enough for a comment, with what one looks for first.

Cut are lines of the middle only: the beginning, the cost, violated policies, errors and the summary at the end stay.
"""

import re
import uuid

LIMIT = 25_000  # characters a stack: a comment holds 65,536, and shows two
HEAD, MARKED = 8_000, 6_000
NOTE = "[… {} characters are left out here; the log of the run has them …]"
COST = "estimated cost"
# A policy's violation names its level in brackets; its message is in the lines below.
VIOLATION, MESSAGE_LINES = re.compile(r"\[(mandatory|advisory)\]|^\s*(error|warning):"), 3
UNPRINTABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[^\n\t\x20-\x7e\xa0-\U0010ffff]")


def shortened(text: str, limit: int = LIMIT) -> str:
    """At most `limit` characters (> HEAD + MARKED + 200), none of which a terminal would obey."""
    text = UNPRINTABLE.sub("", text).strip("\n")
    if len(text) <= limit:
        return text
    head = _whole_lines(text[:HEAD])
    rest = text[len(head) :]
    room = limit - len(head) - MARKED - len(NOTE) - 20
    end = rest[-room:]
    tail = end.partition("\n")[2] or end
    middle = rest[: len(rest) - len(tail)]
    marked = _marked(middle)
    return "\n".join([head, NOTE.format(len(middle) - len(marked)), *([marked] if marked else []), tail])


def output(name: str, text: str) -> str:
    """An output of a step with many lines, in a form that no line of `text` can end."""
    end = f"end-{uuid.uuid4().hex}"
    return f"{name}<<{end}\n{text}\n{end}"


def _whole_lines(text: str) -> str:
    return text.rpartition("\n")[0] or text


def _marked(text: str) -> str:
    """The cost table, and whatever else must be read, of the part that is cut."""
    kept, lines = [], text.splitlines()
    until, in_cost = 0, False
    for at, line in enumerate(lines):
        in_cost = COST in line or (in_cost and bool(line.strip()))
        if VIOLATION.search(line):
            until = at + 1 + MESSAGE_LINES
        if in_cost or at < until:
            kept.append(line)
    found = "\n".join(kept)
    return found if len(found) <= MARKED else _whole_lines(found[:MARKED])

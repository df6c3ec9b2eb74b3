"""A Dockerfile as a list of instructions: comments, continued lines and here-documents resolved, nothing interpreted.

Source: the Dockerfile reference, "Format" and "Here-documents". There is no escape directive: the escape is `\\`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.localcloud.fly.errors import InvalidError

KEYWORDS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
_HEREDOC = re.compile(r"<<-?[\"']?([A-Za-z_]\w*)[\"']?")


@dataclass(frozen=True)
class Instruction:
    line: int
    keyword: str
    text: str
    """What follows the keyword, on one line."""
    heredoc: bool = False

    def __str__(self) -> str:
        return f"{self.keyword} {self.text}"


def parse(source: str) -> list[Instruction]:
    """Raises InvalidError, in Docker's words, for a line that is no instruction."""
    instructions = list(_instructions(source.splitlines()))
    if not any(instruction.keyword == "FROM" for instruction in instructions):
        raise InvalidError("failed to solve: the Dockerfile has no FROM, so there is no stage to build")
    return instructions


def _instructions(lines: list[str]) -> Iterator[Instruction]:
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        if _is_comment(line):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            following = next((text for _, text in numbered if not _is_comment(text)), "")
            whole = f"{whole[:-1].rstrip()} {following.strip()}"
        keyword, _, text = whole.partition(" ")
        keyword = keyword.upper()
        if keyword not in KEYWORDS:
            raise InvalidError(
                f"failed to solve: dockerfile parse error on line {number}: unknown instruction: {keyword}"
            )
        ends = _HEREDOC.findall(text) if keyword in ("RUN", "COPY", "ADD") else []
        for end in ends:
            while next((body for _, body in numbered), end).strip() != end:
                pass
        yield Instruction(number, keyword, text.strip(), heredoc=bool(ends))


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")

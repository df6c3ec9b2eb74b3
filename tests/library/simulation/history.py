"""What happened: every question to a machine with its answer, in virtual seconds, and a line for each event."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["read", "write"]
Status = Literal["ok", "stale", "conflict", "refused", "unavailable", "broken", "unknown"]


class Request(NamedTuple):
    """`write` names the change; `key` repeats it safely; `needs` is a change without which the handler refuses."""

    kind: Kind
    session: str
    seen: int | None = None
    write: str = ""
    key: str | None = None
    needs: str | None = None
    refuses: bool = False
    reuses_key: bool = False
    may_be_stale: bool = False
    holds_s: float = 0.0


class Answer(NamedTuple):
    """`rows`: ids that a read saw. `row`, `before`: id that a write made, and how many rows its handler found.

    `version` is that of the answer, or the current one that a conflict tells.
    """

    status: Status
    version: int | None = None
    rows: tuple[str, ...] = ()
    row: str = ""
    before: int = 0
    by: str | None = None
    detail: str = ""


UNKNOWN = Answer("unknown")


@dataclass
class Call:
    """`known` is the highest version that the session had been told when it asked."""

    request: Request
    known: int
    asked_s: float
    answer: Answer = UNKNOWN
    answered_s: float = field(default=float("inf"))


class History:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.lines: list[str] = []

    def note(self, world_s: float, who: str, what: str) -> None:
        self.lines.append(f"{world_s:14.6f}  {who:<8} {what}")

    def asked(self, world_s: float, call: Call, where: str) -> int:
        """The number of the call."""
        self.calls.append(call)
        told = [f"{name}={value}" for name, value in call.request._asdict().items() if value and name != "session"]
        self.note(world_s, call.request.session, f"asks {where} #{len(self.calls)} {' '.join(told)}")
        return len(self.calls)

    def answered(self, world_s: float, number: int, answer: Answer) -> None:
        call = self.calls[number - 1]
        call.answer, call.answered_s = answer, world_s
        told = [
            f"{name}={value}"
            for name, value in answer._asdict().items()
            if value not in ("", (), None, 0) or (name == "version" and value == 0)
        ]
        self.note(world_s, call.request.session, f"hears #{number} {' '.join(told)}")

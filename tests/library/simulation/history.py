"""What happened: every question to a machine with its answer, in virtual seconds, and a line for each event."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["read", "write"]
Status = Literal["ok", "stale", "conflict", "refused", "unavailable", "broken", "unknown"]


LAST = "last"
"""The session, and the write, that comes when all faults are over."""


class Request(NamedTuple):
    """`write` names the change; `key` repeats it safely; `needs` is a change without which the handler refuses.

    `size` is that of its row in bytes; `posts`: the handler posts an effect.
    """

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
    size: int = 0
    posts: bool = False


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


@dataclass
class Operation:
    """What an operator was to do: to restore `target`, or to erase, with `again` also what came since an erasure.

    `version` is the one that a restore said it made; `ended_s` is infinite when it failed or nobody knows.
    """

    kind: Literal["restore", "erase"]
    began_s: float
    target: int = 0
    again: bool = False
    version: int = 0
    ended_s: float = float("inf")


class Effect(NamedTuple):
    """An attempt to carry one out: the row that posted it, and whether it was done."""

    row: str
    began_s: float
    ended_s: float
    is_done: bool


class History:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.operations: list[Operation] = []
        self.effects: list[Effect] = []
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

    def began(self, operation: Operation, where: str) -> Operation:
        self.operations.append(operation)
        what = f"restores {operation.target}" if operation.kind == "restore" else f"erases (again={operation.again})"
        self.note(operation.began_s, where, what)
        return operation

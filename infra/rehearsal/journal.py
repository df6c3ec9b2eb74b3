"""What a run did, in the order it began: operations and diagnostics, for the report and for machines."""

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from infra.rehearsal.diff import Changes
from infra.rehearsal.resource import Resource

DELETION = frozenset({"delete", "delete-replaced", "remove-pending-replace", "read-discard", "discard-replaced"})
PHYSICAL = frozenset(
    {
        "create-replacement",
        "delete-replaced",
        "discard-replaced",
        "read-replacement",
        "remove-pending-replace",
    }
)
"""Steps that are part of another, which alone is counted."""
REPLACEMENT = frozenset({"create-replacement", "replace", "read-replacement"})


@dataclass
class Operation:
    """`op` is the engine's word for it. `ended` is None while it runs; `error` says why it failed.

    `result_op`: of a refresh, what it found to have happened; it is counted as that.
    """

    op: str
    resource: Resource
    old: Resource | None = None
    changes: Changes = field(default_factory=Changes)
    note: str = ""
    began: float = field(default_factory=time.perf_counter)
    ended: float | None = None
    error: str = ""
    result_op: str = ""

    @property
    def urn(self) -> str:
        return self.resource.urn

    @property
    def is_deletion(self) -> bool:
        return self.op in DELETION

    @property
    def seconds(self) -> float:
        return (self.ended or time.perf_counter()) - self.began


@dataclass(frozen=True)
class Diagnostic:
    """`fails`: the run has failed by it; an error that the program only logs does not."""

    severity: str
    message: str
    urn: str = ""
    fails: bool = False


class Listener(Protocol):
    """Who is told as it happens; called from several threads, one at a time."""

    def began(self, operation: Operation) -> None: ...
    def ended(self, operation: Operation) -> None: ...
    def said(self, urn: str, line: str) -> None: ...
    def diagnosed(self, diagnostic: Diagnostic) -> None: ...


class Journal:
    def __init__(self, listener: Listener | None = None) -> None:
        self.operations: list[Operation] = []
        self.diagnostics: list[Diagnostic] = []
        self._listener = listener
        self._lock = threading.Lock()

    def begin(self, operation: Operation) -> Operation:
        with self._lock:
            operation.began = time.perf_counter()
            self.operations.append(operation)
            if self._listener:
                self._listener.began(operation)
        return operation

    def end(self, operation: Operation, error: str = "") -> None:
        with self._lock:
            operation.ended, operation.error = time.perf_counter(), error
            if self._listener:
                self._listener.ended(operation)

    def note(self, operation: Operation) -> Operation:
        """An operation that takes no time."""
        self.end(self.begin(operation))
        return operation

    def say(self, urn: str, line: str) -> None:
        """A line of progress from a running operation."""
        with self._lock:
            if self._listener:
                self._listener.said(urn, line)

    def fail(self, message: str, urn: str = "") -> None:
        self._diagnose(Diagnostic("error", message, urn, fails=True))

    def warn(self, message: str, urn: str = "") -> None:
        self._diagnose(Diagnostic("warning", message, urn))

    def log(self, severity: str, message: str, urn: str = "") -> None:
        """What the program itself says."""
        self._diagnose(Diagnostic(severity, message, urn))

    def _diagnose(self, diagnostic: Diagnostic) -> None:
        with self._lock:
            self.diagnostics.append(diagnostic)
            if self._listener:
                self._listener.diagnosed(diagnostic)

    @property
    def failed(self) -> bool:
        return any(one.fails for one in self.diagnostics)

    def changes(self) -> dict[str, str | list[str]]:
        """URN -> what happened to it, in one word (a list if two things did), with `:failed` where it failed."""
        ops: dict[str, set[str]] = {}
        for operation in self.operations:
            ops.setdefault(operation.urn, set()).add(operation.op)
        failed = {one.urn for one in self.diagnostics if one.fails and one.urn}
        return {urn: _in_a_word(ops.get(urn, set()), urn in failed) for urn in sorted({*ops, *failed})}

    def summary(self) -> dict[str, int]:
        """Operations that were done, counted as `pulumi` does: a replacement once."""
        counted: dict[str, int] = {}
        only_looked = all(one.result_op for one in self.operations)
        for operation in self.operations:
            if operation.resource.is_default_provider:
                continue
            if operation.ended is None or operation.error or operation.op in PHYSICAL:
                continue
            if operation.result_op and not only_looked:
                continue
            word = operation.result_op or operation.op
            counted[word] = counted.get(word, 0) + 1
        return dict(sorted(counted.items()))


def _in_a_word(ops: set[str], failed: bool) -> str | list[str]:
    words = set(ops)
    if words & REPLACEMENT:
        words = (words - REPLACEMENT - DELETION) | {"replace"}
    elif words & DELETION:
        words = (words - DELETION) | {"delete"}
    suffix = ":failed" if failed else ""
    if not words:
        return "failed"
    return f"{words.pop()}{suffix}" if len(words) == 1 else sorted(words)

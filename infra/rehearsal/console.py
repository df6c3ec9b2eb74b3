"""What people see while a run goes on: steps as they end, long ones while they run, commands' stderr, a summary."""

import json
import sys
import threading
from typing import TextIO

from infra.rehearsal.journal import Diagnostic, Journal, Operation
from infra.rehearsal.redact import Redactor
from infra.rehearsal.values import Value, Values, masked

SIGNS = {
    "create": "+",
    "update": "~",
    "same": " ",
    "delete": "-",
    "create-replacement": "++",
    "replace": "+-",
    "delete-replaced": "--",
    "remove-pending-replace": "~",
    "read": "<=",
    "refresh": "~",
}
DOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "create-replacement": "creating replacement",
    "delete-replaced": "deleting original",
    "remove-pending-replace": "forgetting",
}
DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "create-replacement": "created replacement",
    "delete-replaced": "deleted original",
    "remove-pending-replace": "forgotten",
}
QUIET = frozenset({"same", "replace"})
FOUND = {"same": "as it should be", "update": "changed by somebody else", "delete": "gone"}
"""What a refresh came to."""
SOON_SECONDS = 0.4
"""A step that ends sooner takes one line; a longer one is announced."""
AGAIN_SECONDS = 10.0
"""How often a running step is mentioned again."""


class Console:
    """Every text that comes from outside passes through the redactor."""

    def __init__(self, redactor: Redactor, preview: bool, stream: TextIO | None = None) -> None:
        self._redactor, self._preview = redactor, preview
        self._stream = stream or sys.stdout
        self._running: dict[int, tuple[Operation, float]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def line(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def start(self) -> None:
        """Begins to mention what takes long, until `stop()`."""
        threading.Thread(target=self._mention, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _mention(self) -> None:
        while not self._ended.wait(SOON_SECONDS / 2):
            with self._lock:
                for key, (operation, due) in self._running.items():
                    if operation.seconds >= due:
                        age = f" ({operation.seconds:.0f} s)" if due > SOON_SECONDS else ""
                        self.line(f"{self._head(operation)} {DOING.get(operation.op, operation.op)}{age} ...")
                        self._running[key] = (operation, max(AGAIN_SECONDS, due + AGAIN_SECONDS))

    def began(self, operation: Operation) -> None:
        if not self._preview and operation.op not in QUIET and operation.resource.custom:
            with self._lock:
                self._running[id(operation)] = (operation, SOON_SECONDS)

    def ended(self, operation: Operation) -> None:
        with self._lock:
            self._running.pop(id(operation), None)
        if operation.op in QUIET or operation.resource.is_default_provider or operation.result_op == "same":
            return
        text = f"{self._head(operation)} {self._outcome(operation)}"
        if self._preview or operation.op == "refresh":
            text += self._differences(operation)
        elif operation.seconds >= SOON_SECONDS:
            text += f" ({operation.seconds:.1f} s)"
        if operation.note:
            text += f"  [{self._redactor.text(operation.note)}]"
        self.line(text)

    def said(self, urn: str, line: str) -> None:
        self.line(f"      {_name(urn)}: {self._redactor.text(line)}")

    def diagnosed(self, diagnostic: Diagnostic) -> None:
        where = f"{_name(diagnostic.urn)}: " if diagnostic.urn else ""
        message = self._redactor.text(diagnostic.message)
        self.line(f"{diagnostic.severity}: {where}" + message.replace("\n", "\n    "))

    def _head(self, operation: Operation) -> str:
        name = self._redactor.text(operation.resource.name)
        return f" {SIGNS.get(operation.op, '?'):>2} {_kind(operation.resource.type)} {name}"

    def _outcome(self, operation: Operation) -> str:
        if operation.result_op and not operation.error:
            return FOUND[operation.result_op]
        if operation.error:
            return f"{DOING.get(operation.op, operation.op)} failed"
        return operation.op if self._preview else DONE.get(operation.op, operation.op)

    def _differences(self, operation: Operation) -> str:
        paths = [f"{'±' if 'replace' in kind else ''}{path}" for path, kind in operation.changes.detailed.items()]
        return f"  [{', '.join(self._redactor.text(path) for path in paths)}]" if paths else ""

    def summary(self, journal: Journal, seconds: float, verb: str, *, interrupted: bool) -> None:
        """Counts as `pulumi` does, and says plainly when nothing changed."""
        counts = journal.summary()
        same = counts.pop("same", 0)
        took = f"{seconds:.1f} s"
        self.line()
        if not counts and not journal.failed and not interrupted:
            nothing = "nothing to destroy" if verb == "destroy" else "nothing changed"
            self.line(f"{nothing}: {same} resources are as they should be ({took})" if same else f"{nothing} ({took})")
            return
        for op, count in counts.items():
            self.line(f"  {SIGNS.get(op, '?'):>2} {count} {'to ' + op if self._preview else DONE.get(op, op)}")
        if same:
            self.line(f"     {same} unchanged")
        ending = "interrupted after" if interrupted else "failed after" if journal.failed else "done in"
        self.line(f"  {ending} {took}{'; run it again to go on' if interrupted else ''}")

    def outputs(self, outputs: Values) -> None:
        if not outputs:
            return
        self.line()
        self.line("outputs:")
        width = max(len(key) for key in outputs)
        for key in sorted(outputs):
            self.line(f"  {key:{width}}  {self._redactor.text(shown(masked(outputs[key])))}")


def shown(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _kind(type_: str) -> str:
    """`cloudflare:index/r2Bucket:R2Bucket` is `cloudflare:R2Bucket`."""
    package, _, rest = type_.partition(":")
    return f"{package}:{rest.rpartition(':')[2]}"

"""A provider for tests of programs: makes anything, in memory, and remembers what it was asked for."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.providers.base import Call, Found, Made
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Values

Outputs = Callable[[Resource], Values]


def _none(_: Resource) -> Values:
    return {}


@dataclass
class Fake:
    """`outputs` gives what a resource answers besides its inputs; `answers` what each function answers.

    `calls` are (operation, name) in the order they came. `replaces` are the inputs whose change replaces. `gone` and
    `drifted` are the names of what somebody else deleted or changed.
    """

    outputs: Outputs = _none
    answers: Mapping[str, Values] = field(default_factory=dict)
    replaces: Iterable[str] = ()
    calls: list[tuple[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    drifted: Mapping[str, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def check(self, inputs: Values) -> Values:
        return inputs

    def diff(self, old: Resource, inputs: Values) -> Changes:
        return Changes(compare(old.inputs, inputs)).replacing(self.replaces)

    def plan(self, call: Call) -> Made:
        unknown: Values = dict.fromkeys(self.outputs(call.resource), UNKNOWN)
        return Made(call.resource.id, {**call.inputs, **unknown})

    def create(self, call: Call) -> Made:
        self._note("create", call)
        return Made(f"{call.resource.name}-id", {**call.inputs, **self.outputs(call.resource)})

    def update(self, call: Call) -> Values:
        self._note("update", call)
        return {**call.inputs, **self.outputs(call.resource)}

    def delete(self, call: Call) -> None:
        self._note("delete", call)

    def exists(self, call: Call) -> bool:
        return call.resource.name not in self.gone

    def read(self, call: Call) -> Found | None:
        resource = call.resource
        if resource.name in self.gone:
            return None
        changed = self.drifted.get(resource.name, {})
        return Found({**resource.inputs, **changed}, {**resource.outputs, **changed})

    def invoke(self, token: str, arguments: Values, config: Values) -> Values:
        """Raises KeyError for a function that `answers` does not have."""
        return {**arguments, **self.answers[token]}

    def _note(self, operation: str, call: Call) -> None:
        with self._lock:
            self.calls.append((operation, call.resource.name))

"""The protocol between the engine's part and a provider, and what passes through it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from infra.rehearsal.diff import Changes
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values


class ProviderError(RuntimeError):
    """An operation failed; the message says what and why, and may hold secrets until it is redacted.

    `uncertain`: it may have happened all the same, so it stays pending. `stops`: nothing new begins after it.
    """

    stops = True

    def __init__(self, message: str, *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.uncertain = uncertain


def _ignore_line(_: str) -> None:
    """Nobody listens."""


def _ignore_group(_group: int, _started: str) -> None:
    """Nobody keeps it."""


@dataclass(frozen=True)
class Call:
    """One operation. Inputs and config keep their secret marks.

    `resumed`: the same operation was begun by a run that did not see its end, so it may have happened already.
    `lost`: what it depends on and this run found gone. `say` takes a line of progress, `started` the process group
    of a command once it runs, and the time it started.
    """

    resource: Resource
    inputs: Values
    config: Values = field(default_factory=dict)
    old: Resource | None = None
    resumed: bool = False
    lost: frozenset[str] = frozenset()
    timeout: float | None = None
    say: Callable[[str], None] = _ignore_line
    started: Callable[[int, str], None] = _ignore_group


@dataclass(frozen=True)
class Made:
    """`id` is empty where a preview cannot know it. `made_up`: the id is not the one it will have."""

    id: str
    outputs: Values
    made_up: bool = False


@dataclass(frozen=True)
class Found:
    """What a resource is like outside: inputs that would make it so, and its outputs."""

    inputs: Values
    outputs: Values


class Provider(Protocol):
    """Methods raise ProviderError. `check`, `diff` and `plan` do nothing outside.

    `check` answers with the inputs as the provider takes them, `plan` with what a preview can know.
    """

    def check(self, inputs: Values) -> Values: ...
    def diff(self, old: Resource, inputs: Values) -> Changes: ...
    def plan(self, call: Call) -> Made: ...
    def create(self, call: Call) -> Made: ...
    def update(self, call: Call) -> Values: ...
    def delete(self, call: Call) -> None: ...
    def exists(self, call: Call) -> bool: ...
    def invoke(self, token: str, arguments: Values, config: Values) -> Values: ...


@runtime_checkable
class Reader(Protocol):
    """A provider that can be refreshed from: `read` answers with None for what is gone. Raises ProviderError."""

    def read(self, call: Call) -> Found | None: ...

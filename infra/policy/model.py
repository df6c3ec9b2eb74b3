"""What rules judge (resources, a whole plan, the stack around them) and what they answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from infra.policy.values import Value

STACK_TYPE = "pulumi:pulumi:Stack"
COMMAND = "command:local:Command"

Level = Literal["mandatory", "advisory"]


@dataclass(frozen=True)
class PlannedResource:
    """A resource as the program wants it. `retain_on_delete` is None where whoever asks cannot see it."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Value] = field(default_factory=dict, repr=False)
    protect: bool = False
    retain_on_delete: bool | None = None
    additional_secret_outputs: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The last part of the type: `R2Bucket` of `cloudflare:index/r2Bucket:R2Bucket`."""
        return self.type.rpartition(":")[2]


@dataclass(frozen=True)
class Context:
    """`config`: the stack's own `reel:*` values as text, without the prefix. `secrets`: texts that nobody may see."""

    stack: str
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def is_local(self) -> bool:
        """The environment whose backend trusts every caller; `development-stays-here` keeps it on this machine."""
        return self.config.get("environment") == "development"

    @property
    def is_production(self) -> bool:
        """By what the stack file says or by the stack's name: neither takes the other's promise back."""
        return "production" in (self.stack, self.config.get("environment"))


@dataclass(frozen=True)
class Plan:
    """Everything that a stack plans. `outputs`: the stack's, as far as they are known."""

    context: Context
    resources: tuple[PlannedResource, ...]
    outputs: Mapping[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Violation:
    """`urn` is empty where it is about the whole stack."""

    rule: str
    level: Level
    message: str
    urn: str = ""


@dataclass(frozen=True)
class ResourceRule:
    """Judges one resource; can stop an `up` before that resource is touched. `remedy` says what to do."""

    name: str
    description: str
    remedy: str
    check: Callable[[PlannedResource, Context], Iterable[str]]
    level: Level = "mandatory"


@dataclass(frozen=True)
class StackRule:
    """Judges a whole plan; `check` yields (urn or "", message)."""

    name: str
    description: str
    remedy: str
    check: Callable[[Plan], Iterable[tuple[str, str]]]
    level: Level = "mandatory"

"""A resource type for programs in tests, made by the Fake provider."""

from collections.abc import Callable
from typing import Any

import pulumi

from infra.rehearsal import Fake, Resource
from infra.rehearsal.values import Values

TYPE = "fake:index:Thing"


class Thing(pulumi.CustomResource):
    """Its output `said` is its name and its input `word`."""

    said: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__(TYPE, name, {"said": None, **inputs}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fake:index:Group", name, None, opts)


def said(resource: Resource) -> Values:
    return {"said": f"{resource.name} {resource.inputs.get('word', '')}".strip()}


def fake(**options: Any) -> Fake:
    return Fake(outputs=said, replaces=["place"], **options)


def program(declare: Callable[[], object]) -> Callable[[], None]:
    """A program of one expression."""

    def run() -> None:
        declare()

    return run

"""How the engine names resources, and the names that aliases stand for."""

from collections.abc import Mapping
from dataclasses import dataclass

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPES = "pulumi:providers:"


@dataclass(frozen=True)
class Alias:
    """A former name: a whole URN, or what of name, type, parent, project and stack was different."""

    urn: str = ""
    name: str = ""
    type: str = ""
    parent: str = ""
    no_parent: bool = False
    project: str = ""
    stack: str = ""


def make(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The types of all parents but the stack come before the resource's own."""
    chain = qualified_type(parent) if parent else STACK_TYPE
    return f"urn:pulumi:{stack}::{project}::{type_ if chain == STACK_TYPE else f'{chain}${type_}'}::{name}"


def stack_urn(stack: str, project: str) -> str:
    return make(stack, project, "", STACK_TYPE, f"{project}-{stack}")


def qualified_type(urn: str) -> str:
    return urn.split("::", 3)[2]


def own_type(urn: str) -> str:
    return qualified_type(urn).rpartition("$")[2]


def name(urn: str) -> str:
    return urn.split("::", 3)[3]


def former(urn: str, aliases: tuple[Alias, ...], parent: str, taken: Mapping[str, str]) -> list[str]:
    """The URNs under which the state may have `urn`, the alias' own first, then those it has by its parent's alias.

    `taken`: URN -> the former URN by which it was found in this run. As the engine's generateAliases.
    """
    head, project, _, _ = urn.split("::", 3)
    stack = head.removeprefix("urn:pulumi:")
    found = [_collapsed(alias, urn, stack, project, parent, taken) for alias in aliases]
    if parent_former := taken.get(parent, ""):
        for child in [urn, *found]:
            found.append(_below(stack, project, parent, parent_former, own_type(child), name(child)))
    return [one for one in dict.fromkeys(found) if one != urn]


def _collapsed(alias: Alias, urn: str, stack: str, project: str, parent: str, taken: Mapping[str, str]) -> str:
    if alias.urn:
        return alias.urn
    above = taken.get(alias.parent, alias.parent) or parent
    return make(
        alias.stack or stack,
        alias.project or project,
        "" if alias.no_parent else above,
        alias.type or own_type(urn),
        alias.name or name(urn),
    )


def _below(stack: str, project: str, parent: str, parent_former: str, type_: str, child: str) -> str:
    """A child called `<parent>-part` was called `<former parent>-part`."""
    if child.startswith(name(parent)):
        child = name(parent_former) + child.removeprefix(name(parent))
    return make(stack, project, parent_former, type_, child)

"""What to do about one resource: a pure function of what there was, what is wanted, and what the provider says.

The rules are those of the Pulumi engine's step generator, as its recorded runs show them (tests/infra/rehearsal/facts).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from infra.rehearsal.diff import Changes
from infra.rehearsal.ignore import MissingError, reset
from infra.rehearsal.paths import parse
from infra.rehearsal.resource import Goal, Resource
from infra.rehearsal.values import Values


class Kind(Enum):
    CREATE = "create"
    SAME = "same"
    UPDATE = "update"
    REPLACE = "replace"


Differ = Callable[[Resource, Values], Changes]
"""A provider's comparison: the resource as it is, the inputs wanted."""


@dataclass(frozen=True)
class Circumstances:
    """What this run already knows.

    `deleted`: gone, for a replacement that deletes first. `lost`: gone by itself. `unsettled`: an earlier run was
    stopped in the middle of it, so it may be other than the state says. `replaced`: the URNs replaced so far.
    """

    deleted: bool = False
    lost: bool = False
    unsettled: bool = False
    replaced: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """`inputs` are what the provider gets; `delete_first`: the old one goes before the new one is made."""

    kind: Kind
    inputs: Values
    changes: Changes = field(default_factory=Changes)
    delete_first: bool = False
    already_deleted: bool = False
    error: str = ""


def decide(old: Resource | None, goal: Goal, diff: Differ, circumstances: Circumstances) -> Decision:
    """Raises ValueError for an option with a path that cannot be read or leads nowhere."""
    if old is None or circumstances.lost:
        return Decision(Kind.CREATE, goal.inputs)
    if circumstances.deleted or old.pending_replacement:
        return Decision(Kind.REPLACE, goal.inputs, already_deleted=True)
    inputs = with_ignored(old.inputs, goal)
    changes = diff(old, inputs).replacing(goal.replace_on_changes)
    if circumstances.replaced & {*goal.replace_with}:
        changes = replace(changes, detailed=changes.detailed | {"replaceWith": "update-replace"})
    if not changes.any and not circumstances.unsettled:
        return Decision(Kind.SAME, inputs)
    if not changes.replaces:
        return Decision(Kind.UPDATE, inputs, changes)
    first = changes.delete_first if goal.delete_before_replace is None else goal.delete_before_replace
    # A replacement starts afresh: it gets the program's inputs, also those whose changes were to be ignored.
    decision = Decision(Kind.REPLACE, goal.inputs, changes, delete_first=first)
    return _protected(goal, decision) if goal.protect and old.protect else decision


def with_ignored(old: Values, goal: Goal) -> Values:
    """The wanted inputs with each ignored path as it was. Raises ValueError if one leads nowhere."""
    inputs, missing = goal.inputs, []
    for path in goal.ignore_changes:
        try:
            inputs = reset(old, inputs, parse(path))
        except MissingError:
            missing.append(path)
    if missing:
        raise ValueError(
            "cannot ignore changes to the following properties because one or more elements of the path are missing: "
            + ", ".join(missing)
        )
    return inputs


def _protected(goal: Goal, decision: Decision) -> Decision:
    """Taking protection off and replacing is one step, so the program's option counts, not the state's alone."""
    return replace(
        decision,
        error=f"unable to replace resource {goal.name!r} ({', '.join(decision.changes.replace_keys)} changed) as it is "
        "protected; to replace it, remove `protect` from it in the program and run again",
    )

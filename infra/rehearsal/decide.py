"""What to do about one resource: a pure function of what there was, what is wanted, and what the provider says.

The rules are those of the Pulumi engine's step generator (pulumi/pulumi, pkg/resource/deploy/step_generator.go:
continueStepsFromImport, continueStepsFromDiff, processIgnoreChanges), as its recorded runs show them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from infra.rehearsal.diff import Changes
from infra.rehearsal.ignore import MissingError, reset
from infra.rehearsal.paths import PathError, parse
from infra.rehearsal.resource import Goal, Resource
from infra.rehearsal.values import Value, Values, plain


class Kind(Enum):
    CREATE = "create"
    SAME = "same"
    UPDATE = "update"
    REPLACE = "replace"


Differ = Callable[[Resource, Values], Changes]
"""A provider's comparison: the resource as it is, the inputs wanted."""
Check = Callable[[Values], Values]
"""The inputs as a provider takes them."""


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
    """`inputs` are what the provider gets; `delete_first`: the old one goes before the new one is made.

    `already_deleted`: in this run or one before, so that it is not deleted again. `error`: why it may not be done.
    """

    kind: Kind
    inputs: Values
    changes: Changes = field(default_factory=Changes)
    delete_first: bool = False
    already_deleted: bool = False
    error: str = ""


def _as_given(inputs: Values) -> Values:
    return inputs


def decide(
    old: Resource | None, goal: Goal, diff: Differ, circumstances: Circumstances, check: Check = _as_given
) -> Decision:
    """Raises ValueError: an ignored path leads nowhere; PathError: one of `replace_on_changes` cannot be read."""
    if old is None or circumstances.lost:
        return Decision(Kind.CREATE, check(goal.inputs))
    inputs = check(with_ignored(old.inputs, goal))
    if circumstances.deleted:
        return Decision(Kind.REPLACE, check(goal.inputs), already_deleted=True)
    if old.external:
        return Decision(Kind.REPLACE, check(goal.inputs))
    changes = _changes(old, goal, inputs, diff, circumstances)
    if changes.replaces or old.pending_replacement:
        return _replacement(old, goal, changes, check(goal.inputs))
    if changes.any or circumstances.unsettled:
        return Decision(Kind.UPDATE, inputs, changes)
    return Decision(Kind.SAME, inputs)


def _changes(old: Resource, goal: Goal, inputs: Values, diff: Differ, circumstances: Circumstances) -> Changes:
    """What differs; what the program or the kind of resource demands comes before the provider's comparison."""
    if old.custom != goal.custom:
        return _replacing("provider")
    if circumstances.replaced & {*goal.replace_with}:
        return _replacing("replaceWith")
    if _is_triggered(old.replacement_trigger, goal.replacement_trigger):
        return _replacing("replacementTrigger")
    changes = diff(old, inputs)
    return changes.replacing(goal.replace_on_changes) if goal.custom else changes


def _replacing(key: str) -> Changes:
    return Changes({key: "update-replace"})


def _is_triggered(old: Value, new: Value) -> bool:
    """None is no trigger: neither the first one nor taking the last one away replaces. Secrecy does not count."""
    return old is not None and new is not None and plain(old) != plain(new)


def _replacement(old: Resource, goal: Goal, changes: Changes, inputs: Values) -> Decision:
    """A replacement starts afresh: it gets the program's inputs, also those whose changes were to be ignored."""
    first = changes.delete_first if goal.delete_before_replace is None else goal.delete_before_replace
    error = _protection(goal, changes) if goal.protect and old.protect else ""
    gone = old.pending_replacement and first
    return Decision(Kind.REPLACE, inputs, changes, delete_first=first, already_deleted=gone, error=error)


def with_ignored(old: Values, goal: Goal) -> Values:
    """The wanted inputs with each ignored path as it was. Raises ValueError if one leads nowhere.

    A path that cannot be read is passed over, as the engine's processIgnoreChanges does.
    """
    inputs, missing = goal.inputs, []
    for text in goal.ignore_changes:
        try:
            path = parse(text)
        except PathError:
            continue
        if not path:
            continue
        try:
            inputs = reset(old, inputs, path)
        except MissingError:
            missing.append(text)
    if missing:
        raise ValueError(
            "cannot ignore changes to the following properties because one or more elements of the path are missing: "
            + ", ".join(missing)
        )
    return inputs


def _protection(goal: Goal, changes: Changes) -> str:
    """Taking protection off and replacing is one step, so the program's option counts, not the state's alone."""
    why = f" ({', '.join(changes.replace_keys)} changed)" if changes.replaces else ""
    return (
        f"unable to replace resource {goal.name!r}{why} as it is protected; to replace it, remove `protect` from it "
        "in the program and run again"
    )

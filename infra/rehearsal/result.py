"""What a run did, as data: for `--result` (the conformance vectors' form), for `--json` of `up`, and for tests."""

from collections.abc import Iterable, Mapping
from typing import Any

from infra.rehearsal.journal import Journal, Operation
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Value, Values, masked, replaced

MADE_UP = "[an id]"
PLANNED = frozenset({"create", "update", "create-replacement"})


def conformance(
    operations: Iterable[Operation],
    changes: Mapping[str, str | list[str]],
    state: list[Resource],
    outputs: Values,
    planned: dict[str, Any] | None,
) -> dict[str, Any]:
    """The form of the engine's recorded runs; secrets are masked where they are marked."""
    return {
        "changes": dict(changes),
        "operations": [
            {
                "urn": one.urn,
                "op": one.op,
                "result": "failed" if one.error else "done" if one.ended is not None else "unfinished",
                "old": one.old.id if one.old else "",
                "diffs": one.changes.keys,
                "detailedDiff": one.changes.detailed,
            }
            for one in operations
        ],
        "state": [recorded(resource) for resource in state],
        "outputs": masked(outputs),
        **({"planned": planned} if planned is not None else {}),
    }


def recorded(resource: Resource) -> dict[str, Any]:
    """A resource of the state with the engine's names for its facts; what is empty is left out."""
    facts: dict[str, Any] = {
        "parent": resource.parent,
        "provider": resource.provider,
        "protect": resource.protect,
        "retainOnDelete": resource.retain_on_delete,
        "deletedWith": resource.deleted_with,
        "replaceWith": resource.replace_with,
        "external": resource.external,
        "additionalSecretOutputs": resource.additional_secret_outputs,
        "delete": resource.delete,
        "pendingReplacement": resource.pending_replacement,
        "option:ignoreChanges": resource.ignore_changes,
        "option:replaceOnChanges": resource.replace_on_changes,
    }
    return {
        "urn": resource.urn,
        "type": resource.type,
        "custom": resource.custom,
        "id": resource.id,
        "inputs": masked(resource.inputs),
        "outputs": masked(resource.outputs),
        "dependencies": resource.dependencies,
        "propertyDependencies": resource.property_dependencies,
        **{key: value for key, value in facts.items() if value},
    }


def planned(operations: Iterable[Operation], stack_outputs: Values, made_up: Iterable[str]) -> dict[str, Any]:
    """What a preview says will be: inputs and outputs of what is created, updated or replaced."""

    def shown(value: Value) -> Value:
        return replaced(
            masked(value), lambda part: (True, _unmade(part, made_up)) if isinstance(part, str) else (False, None)
        )

    resources = [one.resource for one in operations if one.op in PLANNED and one.resource.custom]
    return {
        "inputs": {resource.urn: shown(resource.inputs) for resource in resources},
        "outputs": {resource.urn: shown(resource.outputs) for resource in resources},
        "stackOutputs": shown(stack_outputs),
    }


def _unmade(text: str, made_up: Iterable[str]) -> str:
    for one in made_up:
        text = text.replace(one, MADE_UP)
    return text


def summary_json(how: str, journal: Journal, outputs: Values, redactor: Redactor) -> dict[str, Any]:
    """What `up` and `destroy` print."""
    return {
        "rehearsal": True,
        "result": how,
        "changes": journal.summary(),
        "outputs": redactor.value(masked(outputs)),
        "steps": [
            {
                "op": one.op,
                "urn": one.urn,
                "seconds": round(one.seconds, 3),
                **({"error": redactor.text(one.error)} if one.error else {}),
                **({"note": redactor.text(one.note)} if one.note else {}),
            }
            for one in journal.operations
            if not one.resource.is_default_provider
        ],
        "diagnostics": diagnostics(journal, redactor),
    }


def diagnostics(journal: Journal, redactor: Redactor) -> list[dict[str, str]]:
    return [
        {"severity": one.severity, "message": redactor.text(one.message), **({"urn": one.urn} if one.urn else {})}
        for one in journal.diagnostics
    ]

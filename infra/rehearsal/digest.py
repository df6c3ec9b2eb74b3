"""What `pulumi preview --json` prints: a document of the steps that it would take.

Source: pulumi/pulumi, pkg/display/display.go (PreviewDigest), pkg/backend/display/json.go (ShowPreviewDigest) and
display.go (shouldShow). Steps that change nothing are left out, but for the stack's and those of changed protection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.rehearsal.duration import seconds
from infra.rehearsal.journal import PHYSICAL, Journal, Operation
from infra.rehearsal.redact import Redactor
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import SECRET_SHOWN, UNKNOWN, Value, masked

BILLION = 1_000_000_000
"""Durations are in nanoseconds, as Go's."""


@dataclass(frozen=True)
class Shown:
    """The options `--show-sames` and `--show-replacement-steps` of the real command line."""

    sames: bool = False
    replacement_steps: bool = False


@dataclass(frozen=True)
class Digest:
    """`ids`: URN of a provider -> its id; `elapsed` in seconds."""

    journal: Journal
    redactor: Redactor
    ids: Mapping[str, str]
    elapsed: float
    shown: Shown = Shown()

    def document(self, config: Mapping[str, str], secret_keys: frozenset[str]) -> dict[str, Any]:
        """`rehearsal` is the one key that the real command line does not print."""
        steps = [self._step(one) for one in self.journal.operations if self._is_shown(one)]
        return {
            "rehearsal": True,
            "config": {
                key: SECRET_SHOWN if key in secret_keys else self.redactor.text(value) for key, value in config.items()
            },
            "steps": steps,
            "diagnostics": self._diagnostics(),
            "duration": round(self.elapsed * BILLION),
            "changeSummary": self.journal.summary(),
        }

    def _is_shown(self, operation: Operation) -> bool:
        if operation.resource.is_default_provider or operation.op == "remove-pending-replace":
            return False
        if operation.op == "same":
            was = operation.old.protect if operation.old else operation.resource.protect
            return self.shown.sames or operation.resource.is_stack or was != operation.resource.protect
        return self.shown.replacement_steps or operation.op not in PHYSICAL

    def _step(self, operation: Operation) -> dict[str, Any]:
        changes = operation.changes
        detailed = {key: {"kind": kind, "inputDiff": True} for key, kind in changes.detailed.items()}
        step = {
            "op": operation.op,
            "urn": operation.urn,
            "provider": self._reference(operation.resource.provider),
            "oldState": self._state(operation.old) if operation.old else None,
            "newState": None if operation.is_deletion else self._state(operation.resource),
            "diffReasons": changes.keys,
            "replaceReasons": changes.replace_keys,
        }
        return {key: value for key, value in step.items() if value} | {"detailedDiff": detailed or None}

    def _state(self, resource: Resource) -> Value:
        """The engine's ResourceV3: what is empty is left out."""
        facts: dict[str, Any] = {
            "delete": resource.delete,
            "id": resource.id,
            "inputs": masked(resource.inputs, unknown=UNKNOWN),
            "outputs": masked(resource.outputs, unknown=UNKNOWN),
            "parent": resource.parent,
            "protect": resource.protect,
            "external": resource.external,
            "dependencies": list(resource.dependencies),
            "provider": self._reference(resource.provider),
            "propertyDependencies": dict(resource.property_dependencies),
            "pendingReplacement": resource.pending_replacement,
            "additionalSecretOutputs": list(resource.additional_secret_outputs),
            "customTimeouts": {key: seconds(limit) for key, limit in resource.timeouts.items()},
            "retainOnDelete": resource.retain_on_delete,
            "deletedWith": resource.deleted_with,
            "replaceWith": list(resource.replace_with),
            "ignoreChanges": list(resource.ignore_changes),
            "replaceOnChanges": list(resource.replace_on_changes),
        }
        named: dict[str, Any] = {"urn": resource.urn, "custom": resource.custom, "type": resource.type}
        return self.redactor.value(named | {key: value for key, value in facts.items() if value})

    def _reference(self, provider: str) -> str:
        return f"{provider}::{self.ids.get(provider, '') or UNKNOWN}" if provider else ""

    def _diagnostics(self) -> list[dict[str, str]]:
        """The message has the prefix that the real command line prints before it."""
        return [
            {
                **({"urn": one.urn} if one.urn else {}),
                "message": f"{one.severity}: {self.redactor.text(one.message)}",
                "severity": one.severity,
            }
            for one in self.journal.diagnostics
        ]

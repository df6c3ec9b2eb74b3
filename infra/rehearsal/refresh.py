"""Reads what is outside and brings the state up to it: what was changed or deleted by others is noted as such.

Source: pulumi/pulumi, pkg/resource/deploy/step.go, RefreshStep. Commands cannot be read, so for them nothing changes.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from infra.rehearsal.carry import Carrier, FailedError
from infra.rehearsal.diff import Changes, compare
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.journal import Operation
from infra.rehearsal.levels import deletion_levels
from infra.rehearsal.providers.base import Call, Found, ProviderError, Reader
from infra.rehearsal.resource import Resource


def refresh(carrier: Carrier) -> int:
    """How many resources are other than the state said. What is gone leaves the state, also where others name it."""
    with carrier.lock:
        known = [one for one in carrier.state.resources.values() if _is_read(one)]
    drift = 0
    with ThreadPoolExecutor(max(1, carrier.parallel)) as pool:
        for level in reversed(deletion_levels(known)):
            drift += sum(pool.map(lambda one: _refresh_one(carrier, one), level))
    return drift


def _is_read(resource: Resource) -> bool:
    return resource.custom and not resource.is_provider and not resource.external and not resource.pending_replacement


def _refresh_one(carrier: Carrier, old: Resource) -> int:
    found: list[Found | None] = []

    def work(call: Call) -> None:
        provider = carrier.provider(old)
        if not isinstance(provider, Reader):
            raise ProviderError(f"a {old.type} cannot be read here")
        found.append(provider.read(call))

    operation = Operation("refresh", old, old, result_op="same")
    try:
        carrier.look(operation, work, lambda: _note(operation, found[0]))
    except (FailedError, HaltedError):
        return 0
    if found[0] is None:
        carrier.forget_gone(old)
    elif operation.changes.any:
        carrier.adopt(replace(old, inputs=found[0].inputs, outputs=found[0].outputs))
    return int(operation.result_op != "same")


def _note(operation: Operation, found: Found | None) -> None:
    """Says in the journal what came out."""
    if found is None:
        operation.result_op = "delete"
        return
    detailed = compare(operation.resource.inputs, found.inputs)
    if detailed:
        operation.changes, operation.result_op = Changes(detailed), "update"

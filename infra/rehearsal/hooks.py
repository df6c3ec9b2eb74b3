"""Runs the program's own functions before and after an operation on a resource.

A failing `before` fails the operation; a failing `after` leaves what was done and fails the run. In a preview only
hooks with `on_dry_run` run. Source: pulumi/pulumi, pkg/resource/deploy/step.go and resource_hooks.go.
"""

import threading
from collections.abc import Iterable

from pulumi.runtime.proto import resource_pb2

from infra.rehearsal import wire
from infra.rehearsal.callbacks import CallbackError, Callbacks
from infra.rehearsal.journal import Journal
from infra.rehearsal.perform import HookError, unregistered
from infra.rehearsal.resource import Resource

MOMENTS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")


class Hooks:
    """What the program registered by name; called from several threads."""

    def __init__(self, callbacks: Callbacks, journal: Journal, *, preview: bool) -> None:
        self._callbacks, self._journal, self._preview = callbacks, journal, preview
        self._known: dict[str, resource_pb2.RegisterResourceHookRequest] = {}
        self._lock = threading.Lock()

    def register(self, hook: resource_pb2.RegisterResourceHookRequest) -> None:
        """Raises HookError for a name that is taken."""
        with self._lock:
            if hook.name in self._known:
                raise HookError(f"the resource hook {hook.name!r} is registered twice; give it another name")
            self._known[hook.name] = hook

    def run(self, moment: str, resource: Resource, old: Resource | None) -> None:
        """`old` is the resource before an update, or the one to be deleted. Raises HookError."""
        for hook in self._of(resource, moment):
            if self._preview and not hook.on_dry_run:
                continue
            try:
                self._call(hook, moment, resource, old)
            except HookError as error:
                if not hook.ignore_errors:
                    raise
                self._journal.warn(str(error), resource.urn)

    def _of(self, resource: Resource, moment: str) -> Iterable[resource_pb2.RegisterResourceHookRequest]:
        with self._lock:
            names = resource.hooks.get(moment, [])
            if unknown := [name for name in names if name not in self._known]:
                raise unregistered(unknown[0])
            return [self._known[name] for name in names]

    def _call(
        self,
        hook: resource_pb2.RegisterResourceHookRequest,
        moment: str,
        resource: Resource,
        old: Resource | None,
    ) -> None:
        request = resource_pb2.ResourceHookRequest(
            urn=resource.urn, id=resource.id, name=resource.name, type=resource.type
        )
        if "delete" not in moment:
            request.new_inputs.CopyFrom(wire.dump(resource.inputs))
        if moment in ("after_create", "after_update"):
            request.new_outputs.CopyFrom(wire.dump(resource.outputs))
        if old is not None:
            request.old_inputs.CopyFrom(wire.dump(old.inputs))
            request.old_outputs.CopyFrom(wire.dump(old.outputs))
        try:
            said = self._callbacks.call(hook.callback, request.SerializeToString())
        except CallbackError as error:
            raise HookError(f"the hook {hook.name!r} ({moment}) failed: {error}") from error
        if problem := resource_pb2.ResourceHookResponse.FromString(said).error:
            raise HookError(f"the hook {hook.name!r} ({moment}) failed: {problem}")


def bound(binding: resource_pb2.RegisterResourceRequest.ResourceHooksBinding) -> dict[str, list[str]]:
    """Moment -> names of hooks, as a registration gives them."""
    given = {moment: list(getattr(binding, moment)) for moment in MOMENTS}
    return {moment: names for moment, names in given.items() if names}

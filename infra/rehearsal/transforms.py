"""Lets the program's transforms change a registration: the resource's own, then its ancestors', then the stack's.

Source: pulumi/pulumi, pkg/resource/deploy/source_eval.go, resmon.RegisterResource.
"""

import threading
from collections.abc import Iterator

from pulumi.runtime.proto import callback_pb2, resource_pb2

from infra.rehearsal.callbacks import CallbackError, Callbacks

Request = resource_pb2.RegisterResourceRequest
Options = resource_pb2.TransformResourceOptions

SAME_NAMES = {
    "depends_on": "dependencies",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "aliases": "aliases",
    "additional_secret_outputs": "additionalSecretOutputs",
    "replace_with": "replace_with",
    "hide_diff": "hideDiffs",
}
"""Lists: their field among a transform's options -> in a registration."""
TEXTS = {
    "version": "version",
    "provider": "provider",
    "plugin_download_url": "pluginDownloadURL",
    "deleted_with": "deletedWith",
    "import": "importId",
}
MESSAGES = {"custom_timeouts": "customTimeouts", "hooks": "hooks", "replacement_trigger": "replacement_trigger"}


class Transforms:
    """What is registered while a program runs; calls come from several threads."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._of_stack: list[callback_pb2.Callback] = []
        self._of_invokes: list[callback_pb2.Callback] = []
        self._of: dict[str, list[callback_pb2.Callback]] = {}
        self._parents: dict[str, str] = {}
        self._lock = threading.Lock()

    def add_to_stack(self, callback: callback_pb2.Callback) -> None:
        with self._lock:
            self._of_stack.append(callback)

    def add_to_invokes(self, callback: callback_pb2.Callback) -> None:
        with self._lock:
            self._of_invokes.append(callback)

    def remember(self, urn: str, request: Request) -> None:
        """Its transforms also hold for what will be below it."""
        with self._lock:
            self._of[urn], self._parents[urn] = list(request.transforms), request.parent

    def transformed(self, request: Request) -> Request:
        """The registration as its transforms leave it. Raises CallbackError."""
        with self._lock:
            callbacks = [*request.transforms, *self._of_ancestors(request.parent), *self._of_stack]
        for callback in callbacks:
            request = self._apply(callback, request)
        return request

    def transformed_invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeRequest:
        """A call of a function as the stack's transforms leave it. Raises CallbackError."""
        with self._lock:
            callbacks = list(self._of_invokes)
        for callback in callbacks:
            asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=request.args)
            asked.options.provider, asked.options.version = request.provider, request.version
            answer = resource_pb2.TransformInvokeResponse.FromString(
                self._callbacks.call(callback, asked.SerializeToString())
            )
            changed = resource_pb2.ResourceInvokeRequest()
            changed.CopyFrom(request)
            changed.args.CopyFrom(answer.args)
            if answer.HasField("options") and answer.options.provider:
                changed.provider = answer.options.provider
            request = changed
        return request

    def _of_ancestors(self, parent: str) -> Iterator[callback_pb2.Callback]:
        while parent:
            yield from self._of.get(parent, [])
            parent = self._parents.get(parent, "")

    def _apply(self, callback: callback_pb2.Callback, request: Request) -> Request:
        asked = resource_pb2.TransformRequest(
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            properties=request.object,
            options=_options(request),
        )
        try:
            said = self._callbacks.call(callback, asked.SerializeToString())
        except CallbackError as error:
            raise CallbackError(f"a transform of {request.name} failed: {error}") from error
        answer = resource_pb2.TransformResponse.FromString(said)
        changed = Request()
        changed.CopyFrom(request)
        changed.object.CopyFrom(answer.properties)
        if answer.HasField("options"):
            _lay(changed, answer.options)
        return changed


def _options(request: Request) -> Options:
    options = Options()
    for theirs, ours in SAME_NAMES.items():
        getattr(options, theirs).extend(getattr(request, ours))
    for theirs, ours in TEXTS.items():
        setattr(options, theirs, getattr(request, ours))
    for theirs, ours in MESSAGES.items():
        if request.HasField(ours):  # type: ignore[arg-type]
            getattr(options, theirs).CopyFrom(getattr(request, ours))
    if request.HasField("protect"):
        options.protect = request.protect
    if request.HasField("retainOnDelete"):
        options.retain_on_delete = request.retainOnDelete
    if request.deleteBeforeReplaceDefined:
        options.delete_before_replace = request.deleteBeforeReplace
    options.providers.update(request.providers)
    return options


def _lay(request: Request, options: Options) -> None:
    """Puts a transform's options in the place of the registration's."""
    for theirs, ours in SAME_NAMES.items():
        request.ClearField(ours)  # type: ignore[arg-type]
        getattr(request, ours).extend(getattr(options, theirs))
    for theirs, ours in TEXTS.items():
        setattr(request, ours, getattr(options, theirs))
    for theirs, ours in MESSAGES.items():
        request.ClearField(ours)  # type: ignore[arg-type]
        if options.HasField(theirs):  # type: ignore[arg-type]
            getattr(request, ours).CopyFrom(getattr(options, theirs))
    request.ClearField("protect")
    if options.HasField("protect"):
        request.protect = options.protect
    request.ClearField("retainOnDelete")
    if options.HasField("retain_on_delete"):
        request.retainOnDelete = options.retain_on_delete
    request.deleteBeforeReplaceDefined = options.HasField("delete_before_replace")
    request.deleteBeforeReplace = options.delete_before_replace

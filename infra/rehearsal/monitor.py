"""The engine's side of the Pulumi SDK: answers the calls of its ResourceMonitor and Engine services, in this process.

The SDK takes any object with these methods (pulumi.runtime.Settings); it calls them from several threads.
A call that cannot be served is refused with a reason, never answered as if it were done.
"""

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import alias_pb2, callback_pb2, engine_pb2, provider_pb2, resource_pb2

from infra.rehearsal import wire
from infra.rehearsal.callbacks import CallbackError, Callbacks
from infra.rehearsal.deployment import Deployment
from infra.rehearsal.halt import HaltedError
from infra.rehearsal.hooks import Hooks, bound
from infra.rehearsal.providers.base import ProviderError
from infra.rehearsal.resource import Goal
from infra.rehearsal.transforms import Transforms
from infra.rehearsal.urns import Alias, make
from infra.rehearsal.values import Values, plain_values, secret_texts

FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
)
"""What is not named here, the SDK refuses by itself: error hooks, state migrations, parameterized providers."""

SEVERITIES = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class Monitor:
    """Method names and messages are pulumi's; see pulumi/pulumi, proto/pulumi/resource.proto."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._callbacks = callbacks = Callbacks()
        self._transforms = Transforms(callbacks)
        carrier = deployment.carrier
        self._hooks = carrier.hooks = Hooks(callbacks, carrier.journal, preview=carrier.preview)

    def GetDeploymentInfo(self, request: Empty) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(supportedFeatures=list(FEATURES))

    def SignalAndWaitForShutdown(self, request: Empty) -> Empty:
        """The program is done and waits, so that its hooks can still be called."""
        self._deployment.finish()
        self._callbacks.close()
        return Empty()

    def RegisterStackTransform(self, request: callback_pb2.Callback) -> Empty:
        self._transforms.add_to_stack(request)
        return Empty()

    def RegisterStackInvokeTransform(self, request: callback_pb2.Callback) -> Empty:
        self._transforms.add_to_invokes(request)
        return Empty()

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest) -> Empty:
        self._hooks.register(request)
        return Empty()

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        urn = make(self._deployment.stack, self._deployment.project, request.parent, request.type, request.name)
        self._transforms.remember(urn, request)
        try:
            request = self._transforms.transformed(request)
            refusal = _refusal(request)
        except CallbackError as error:
            refusal = str(error)
        if refusal:
            self._deployment.refuse(urn, refusal)
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
        answer = self._deployment.register(_goal(request))
        if not answer.done:
            return resource_pb2.RegisterResourceResponse(urn=answer.urn, result=resource_pb2.FAIL)
        return resource_pb2.RegisterResourceResponse(urn=answer.urn, id=answer.id, object=wire.dump(answer.outputs))

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Empty:
        self._deployment.register_outputs(request.urn, wire.load(request.outputs))
        return Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        """Raises HaltedError after a failure; the answer's failure otherwise says what went wrong."""
        try:
            request = self._transforms.transformed_invoke(request)
            found = self._invoke(request.tok, wire.load(request.args), request.provider.rpartition("::")[0])
        except (ProviderError, CallbackError) as error:
            return resource_pb2.ResourceInvokeResponse(failures=[provider_pb2.CheckFailure(reason=str(error))])
        answer = resource_pb2.ResourceInvokeResponse()
        getattr(answer, "return").CopyFrom(wire.dump(found))  # A keyword to Python, a field to protobuf.
        return answer

    def _invoke(self, token: str, arguments: Values, provider_urn: str) -> Values:
        carrier = self._deployment.carrier
        if carrier.halt.nothing_new:
            raise HaltedError(f"{token} was not called: the run is ending")
        if (provider := carrier.providers.get(token.split(":", 1)[0])) is None:
            raise ProviderError(f"a rehearsal cannot call {token}: it has no such provider")
        with carrier.lock:
            settings = carrier.state.resources.get(provider_urn)
        config = settings.inputs if settings else {}
        carrier.redactor.add(*secret_texts(config))
        return provider.invoke(token, arguments, plain_values(config))

    def Call(self, request: resource_pb2.ResourceCallRequest) -> provider_pb2.CallResponse:
        reason = f"a rehearsal cannot call the method {request.tok}"
        return provider_pb2.CallResponse(failures=[provider_pb2.CheckFailure(reason=reason)])

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        goal = Goal(
            type=request.type,
            name=request.name,
            version=request.version,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0],
            inputs=wire.load(request.properties),
            dependencies=tuple(request.dependencies),
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )
        answer = self._deployment.read(goal, request.id)
        if not answer.done:
            return resource_pb2.ReadResourceResponse(urn=answer.urn, result=resource_pb2.FAIL)
        return resource_pb2.ReadResourceResponse(urn=answer.urn, properties=wire.dump(answer.outputs))


class Engine:
    """Where the SDK sends `pulumi.log` and its version check."""

    def __init__(self, deployment: Deployment) -> None:
        self._journal = deployment.carrier.journal

    def Log(self, request: engine_pb2.LogRequest) -> Empty:
        if request.severity != engine_pb2.DEBUG:
            self._journal.log(SEVERITIES.get(request.severity, "info"), request.message, request.urn)
        return Empty()

    def RequirePulumiVersion(self, request: engine_pb2.RequirePulumiVersionRequest) -> Empty:
        return Empty()


def _refusal(request: resource_pb2.RegisterResourceRequest) -> str:
    if request.remote:
        return f"a rehearsal cannot make the remote component {request.type}"
    if request.importId:
        return f"a rehearsal cannot import {request.importId!r}; take `import_` out or use Pulumi"
    if request.envVarMappings:
        return f"a rehearsal cannot map environment variables for {request.name} (env_var_mappings)"
    return ""


def _goal(request: resource_pb2.RegisterResourceRequest) -> Goal:
    limits = request.customTimeouts
    given = {"create": limits.create, "update": limits.update, "delete": limits.delete}
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        version=request.version,
        parent=request.parent,
        provider=request.provider.rpartition("::")[0],
        inputs=wire.load(request.object),
        dependencies=tuple(request.dependencies),
        property_dependencies={key: list(needs.urns) for key, needs in request.propertyDependencies.items()},
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(_alias(alias) for alias in request.aliases),
        deleted_with=request.deletedWith,
        replace_with=tuple(request.replace_with),
        replacement_trigger=wire.load_value(request.replacement_trigger),
        hooks=bound(request.hooks),
        timeouts={key: limit for key, limit in given.items() if limit},
    )


def _alias(alias: alias_pb2.Alias) -> Alias:
    spec = alias.spec
    return Alias(alias.urn, spec.name, spec.type, spec.parentUrn, spec.noParent, spec.project, spec.stack)

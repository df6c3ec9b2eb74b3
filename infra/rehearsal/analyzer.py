"""The engine's side of the Analyzer protocol: what a policy pack is told and what it answers.

Source: pulumi/pulumi, proto/pulumi/analyzer.proto and sdk/go/common/resource/plugin/analyzer_plugin.go. The protocol
has no word for `retain_on_delete`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from infra.rehearsal import wire
from infra.rehearsal.duration import seconds
from infra.rehearsal.resource import Resource

NO_ENGINE: Final = "127.0.0.1:1"
"""Where a pack would reach the engine: nobody listens there, and packs in Python never call."""
ANSWER_SECONDS: Final = 120.0
_LARGEST: Final = 400 * 1024 * 1024
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_send_message_length", _LARGEST),
    ("grpc.enable_http_proxy", 0),
]


class AnalyzerError(RuntimeError):
    """A pack cannot be started or asked; the message says why."""


class _NotImplementedError(AnalyzerError):
    """The pack's SDK does not know the call."""


@dataclass(frozen=True)
class StackFacts:
    """What a pack is told about the run. `config`: full keys to text, secrets in clear, as the engine hands it over."""

    project: str
    stack: str
    organization: str
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    preview: bool


@dataclass(frozen=True)
class Finding:
    """One violation. `urn` is empty where it is about the whole stack."""

    policy: str
    message: str
    mandatory: bool
    urn: str = ""


class Analyzer:
    """Calls to a running pack. Every method raises AnalyzerError."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
        self._stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)

    def introduce(self, facts: StackFacts, folder: str) -> analyzer_pb2.AnalyzerInfo:
        """The calls that come before the first resource; an SDK that lacks one of the first two does without it."""
        about = analyzer_pb2.AnalyzerHandshakeRequest(
            engine_address=NO_ENGINE, root_directory=folder, program_directory=folder
        )
        for call, request in (("Handshake", about), ("ConfigureStack", _stack_request(facts))):
            try:
                self._ask(call, request)
            except _NotImplementedError:
                continue
        info: analyzer_pb2.AnalyzerInfo = self._ask("GetAnalyzerInfo", Empty())
        return info

    def analyze(self, resource: Resource, provider: Resource | None) -> list[Finding]:
        """One resource, by its inputs, before anything is done with it."""
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.type,
            urn=resource.urn,
            name=resource.name,
            properties=wire.dump(resource.inputs),
            options=_options(resource),
            provider=_provider(provider),
        )
        # The engine takes the resource's own URN, whatever the pack says.
        return [replace(each, urn=resource.urn) for each in _findings(self._ask("Analyze", request))]

    def analyze_stack(self, resources: list[tuple[Resource, Resource | None]]) -> list[Finding]:
        """Everything that the program registered, by its outputs, each with its provider."""
        request = analyzer_pb2.AnalyzeStackRequest(resources=[_in_stack(*each) for each in resources])
        return _findings(self._ask("AnalyzeStack", request))

    def close(self) -> None:
        self._channel.close()

    def _ask(self, call: str, request: object) -> Any:  # noqa: ANN401 -- each call has an answer of its own
        try:
            return getattr(self._stub, call)(request, timeout=ANSWER_SECONDS)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise _NotImplementedError(call) from error
            raise AnalyzerError(f"the policy pack failed at {call}: {error.details()}") from error


def _findings(answer: analyzer_pb2.AnalyzeResponse) -> list[Finding]:
    return [
        Finding(each.policyName, each.message, each.enforcementLevel != analyzer_pb2.ADVISORY, each.urn)
        for each in answer.diagnostics
        if each.enforcementLevel != analyzer_pb2.DISABLED
    ]


def _stack_request(facts: StackFacts) -> analyzer_pb2.AnalyzerStackConfigureRequest:
    return analyzer_pb2.AnalyzerStackConfigureRequest(
        stack=facts.stack,
        project=facts.project,
        organization=facts.organization,
        dry_run=facts.preview,
        config=dict(facts.config),
        config_secret_keys=sorted(facts.secret_keys),
    )


def _options(resource: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    limits = {key: seconds(limit) for key, limit in resource.timeouts.items()}
    return analyzer_pb2.AnalyzerResourceOptions(
        protect=resource.protect,
        ignoreChanges=resource.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(**limits),
        parent=resource.parent,
    )


def _provider(provider: Resource | None) -> analyzer_pb2.AnalyzerProviderResource | None:
    if provider is None:
        return None
    return analyzer_pb2.AnalyzerProviderResource(
        type=provider.type, urn=provider.urn, name=provider.name, properties=wire.dump(provider.inputs)
    )


def _in_stack(resource: Resource, provider: Resource | None) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=wire.dump(resource.outputs),
        options=_options(resource),
        provider=_provider(provider),
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=needed)
            for key, needed in resource.property_dependencies.items()
        },
    )

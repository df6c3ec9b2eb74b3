"""The rules as a CrossGuard policy pack, on Pulumi's policy SDK.

The SDK takes the marks of secrets off and hides unknown values behind exceptions; here both stay, because rules judge
by them. The engine tells a pack the stack's settings in its environment (PULUMI_STACK, PULUMI_CONFIG), secrets in
clear; whether a resource has `retain_on_delete` it does not tell.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pulumi_policy
from pulumi_policy import policy as sdk
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from infra.config import NAMESPACE, SECRET_KEYS
from infra.policy.model import STACK_TYPE, Context, Plan, PlannedResource, ResourceRule, StackRule
from infra.policy.registry import RESOURCE_RULES, STACK_RULES, informed
from infra.policy.rules.secrecy import SHORTEST, secrets_of
from infra.policy.values import NotKnownError, UnreadableError, Value, from_wire, is_secret_name

NAME: Final = "reel"
LEVELS: Final = {
    "mandatory": pulumi_policy.EnforcementLevel.MANDATORY,
    "advisory": pulumi_policy.EnforcementLevel.ADVISORY,
}


class Memory:
    """Secrets seen so far: the engine shows one resource after the other."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def learn(self, resource: PlannedResource) -> frozenset[str]:
        """Every secret known, this resource's own too."""
        with self._lock:
            self._secrets |= secrets_of(resource)
            return self._secrets


def serve() -> None:
    """Serves until the engine ends this process; prints the port that it asks for."""
    _keep_marks()
    memory = Memory()
    policies: list[sdk.Policy] = [_resource_policy(rule, memory) for rule in RESOURCE_RULES]
    policies += [_stack_policy(rule) for rule in STACK_RULES]
    pulumi_policy.PolicyPack(NAME, policies, enforcement_level=pulumi_policy.EnforcementLevel.MANDATORY)


def _keep_marks() -> None:
    """Policies get the properties as they come from the engine; raises AttributeError for an SDK that has changed."""
    for name in ("deserialize_properties", "unknown_checking_proxy"):
        getattr(sdk, name)
        setattr(sdk, name, _as_they_come)


def _as_they_come(props: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:
    return props


def _resource_policy(rule: ResourceRule, memory: Memory) -> sdk.Policy:
    def validate(args: pulumi_policy.ResourceValidationArgs, report: sdk.ReportViolation) -> None:
        resource = planned(args)
        context = surrounding(os.environ, memory.learn(resource))
        _report(rule, lambda: (("", text) for text in rule.check(resource, context)), report)

    return pulumi_policy.ResourceValidationPolicy(
        rule.name, rule.description, validate, LEVELS[rule.level], remediation_steps=rule.remedy
    )


def _stack_policy(rule: StackRule) -> sdk.Policy:
    def validate(args: pulumi_policy.StackValidationArgs, report: sdk.ReportViolation) -> None:
        resources = tuple(planned(each) for each in args.resources)
        outputs = next((each.inputs for each in resources if each.type == STACK_TYPE), {})
        plan = informed(Plan(surrounding(os.environ), resources, outputs))
        _report(rule, lambda: rule.check(plan), report)

    return pulumi_policy.StackValidationPolicy(
        rule.name, rule.description, validate, LEVELS[rule.level], remediation_steps=rule.remedy
    )


def _report(
    rule: ResourceRule | StackRule, check: Callable[[], Iterable[tuple[str, str]]], report: sdk.ReportViolation
) -> None:
    """Says what a rule finds; what a preview cannot know becomes the SDK's own advisory."""
    try:
        for urn, text in check():
            report(f"{text} ({rule.remedy})", urn or None)
    except NotKnownError as error:
        raise UnknownValueError(UNKNOWN_STRING_VALUE, [str(error)]) from error
    except UnreadableError as error:
        report(f"{error} ({rule.remedy})", None)


def planned(given: pulumi_policy.ResourceValidationArgs | pulumi_policy.PolicyResource) -> PlannedResource:
    """A resource as the SDK hands it over: its inputs before it is made, its outputs at the end."""
    return PlannedResource(
        urn=given.urn,
        type=given.resource_type,
        name=given.name,
        inputs=_properties(given.props),
        protect=given.opts.protect,
        retain_on_delete=None,
        additional_secret_outputs=tuple(given.opts.additional_secret_outputs),
    )


def _properties(props: Mapping[str, Any]) -> dict[str, Value]:
    return {key: from_wire(value) for key, value in props.items()}


def surrounding(environment: Mapping[str, str], secrets: frozenset[str] = frozenset()) -> Context:
    """The stack that the engine names in the pack's environment."""
    values: dict[str, str] = json.loads(environment.get("PULUMI_CONFIG") or "{}")
    hidden = {key for key in values if _is_secret(key.partition(":")[2])}
    prefix = f"{NAMESPACE}:"
    own = {
        key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix) and key not in hidden
    }
    known = secrets | {values[key] for key in hidden if len(values[key]) >= SHORTEST}
    return Context(environment.get("PULUMI_STACK", ""), own, known)


def _is_secret(key: str) -> bool:
    return key in SECRET_KEYS or is_secret_name(key)

"""How the rules become policies of Pulumi's SDK, in this process."""

import json
from typing import Any

import pulumi_policy
import pytest
from pulumi_policy import policy as sdk
from pulumi_policy.proxy import UnknownValueError

from infra.policy import pack
from infra.policy.model import STACK_TYPE
from infra.policy.values import MARK, SECRET, UNKNOWNS

STACK = {
    "PULUMI_STACK": "staging",
    "PULUMI_CONFIG": json.dumps(
        {
            "reel:environment": "staging",
            "reel:pagesBranch": "short",
            "reel:modalTokenSecret": "as-a-long-one",
            "reel:modalTokenId": "short",
            "other:apiKey": "a-key-of-another",
            "other:colour": "blue",
        }
    ),
}


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the pack would serve, by name."""
    for name in ("deserialize_properties", "unknown_checking_proxy"):
        monkeypatch.setattr(sdk, name, getattr(sdk, name))
    for name, text in STACK.items():
        monkeypatch.setenv(name, text)
    served: list[Any] = []
    monkeypatch.setattr(pulumi_policy, "PolicyPack", lambda name, policies, **_: served.extend(policies))
    pack.serve()
    return {each.name: each for each in served}


def options(**changes: Any) -> pulumi_policy.PolicyResourceOptions:
    given: dict[str, Any] = {"protect": False, "additional_secret_outputs": [], **changes}
    limits = pulumi_policy.PolicyCustomTimeouts(0, 0, 0)
    return pulumi_policy.PolicyResourceOptions(
        ignore_changes=[], delete_before_replace=None, aliases=[], custom_timeouts=limits, **given
    )


def resource(type_: str, props: dict[str, Any]) -> pulumi_policy.ResourceValidationArgs:
    return pulumi_policy.ResourceValidationArgs(type_, props, f"urn:{type_}", "thing", options(), None)


def said(policy: Any, args: Any) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    policy.validate(args, lambda message, urn=None: found.append((message, urn)))
    return found


def test_the_stack_around_comes_from_the_environment_without_its_secrets() -> None:
    around = pack.surrounding(STACK, frozenset({"seen-before"}))
    assert (around.stack, around.config) == ("staging", {"environment": "staging", "pagesBranch": "short"})
    assert around.secrets == {"as-a-long-one", "a-key-of-another", "seen-before"}


def test_without_a_stack_every_rule_is_as_strict_as_it_can_be() -> None:
    around = pack.surrounding({})
    assert (around.stack, around.is_local, around.is_production) == ("", False, False)


def test_a_resource_policy_reports_with_the_remedy(policies: dict[str, Any]) -> None:
    args = resource("command:local:Command", {"triggers": ["1"], "delete": "true"})
    [(message, urn)] = said(policies["no-triggers-with-delete"], args)
    assert message.endswith("and leave triggers out)")
    assert urn is None


def test_marks_reach_the_rule(policies: dict[str, Any]) -> None:
    environment = {"COLOUR": {MARK: SECRET, "value": "blue"}}
    wire = sdk.unknown_checking_proxy(sdk.deserialize_properties({"environment": environment}))  # type: ignore[attr-defined]
    [(message, _)] = said(policies["no-secret-in-environment"], resource("command:local:Command", wire))
    assert "environment.COLOUR is secret" in message


def test_an_unknown_value_is_what_the_sdk_calls_one(policies: dict[str, Any]) -> None:
    args = resource("command:local:Command", {"environment": next(iter(UNKNOWNS))})
    with pytest.raises(UnknownValueError) as raised:
        said(policies["no-secret-in-environment"], args)
    assert raised.value.message == "string value at .environment can't be known during preview"


def test_an_unreadable_value_is_a_violation(policies: dict[str, Any]) -> None:
    args = resource("command:local:Command", {"create": "python -m infra.deploy fly deploy", "stdin": "no JSON"})
    [(message, _)] = said(policies["within-budget"], args)
    assert message.startswith("stdin is no JSON object (")


def test_a_stack_policy_reports_the_resource_or_the_stack(policies: dict[str, Any]) -> None:
    def one(type_: str, props: dict[str, Any]) -> pulumi_policy.PolicyResource:
        return pulumi_policy.PolicyResource(type_, props, f"urn:{type_}", "thing", options(), None, None, [], {})

    args = pulumi_policy.StackValidationArgs(
        [one(STACK_TYPE, {"token": "x"}), one("a:b:C", {"note": "as-a-long-one"}), one("a:b:D", {"note": "blue"})]
    )
    assert [urn for _, urn in said(policies["secret-outputs-are-marked"], args)] == [None]
    assert [urn for _, urn in said(policies["no-secret-in-clear"], args)] == ["urn:a:b:C"]


def test_an_sdk_that_has_changed_is_noticed_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sdk, "deserialize_properties")
    with pytest.raises(AttributeError, match="deserialize_properties"):
        pack.serve()

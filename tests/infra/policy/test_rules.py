"""Each rule: what violates it, what does not, what it says, and that the real stacks pass all of them."""

import json
from dataclasses import replace

import pytest

from infra.policy import registry
from infra.policy.model import Context, Plan, PlannedResource, ResourceRule, Violation
from infra.policy.registry import check, judge, judge_plan
from infra.policy.values import UNKNOWN, Secret
from tests.infra.policy.examples import BUCKET, KNOWING, PASSES, UNREADABLE, VALUE, VIOLATIONS, Subject
from tests.infra.policy.support import DIGEST, PRODUCTION, STAGING, command, resource, stack_plan, step

RULES = {rule.name: rule for rule in registry.RULES}


def answers(name: str, subject: Subject, context: Context) -> list[Violation]:
    rule = RULES[name]
    if isinstance(rule, ResourceRule):
        assert isinstance(subject, PlannedResource)
        return list(judge(rule, subject, context))
    assert isinstance(subject, Plan)
    return list(judge_plan(rule, subject))


def test_every_rule_has_a_name_of_its_own_and_an_example_of_each_kind() -> None:
    assert len(RULES) == len(registry.RULES)
    assert RULES.keys() == VIOLATIONS.keys() == PASSES.keys()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_demands_and_what_to_do(name: str) -> None:
    rule = RULES[name]
    assert rule.description.endswith(".")
    assert rule.remedy


@pytest.mark.parametrize(
    ("name", "subject", "context", "said"),
    [(name, *example) for name, examples in VIOLATIONS.items() for example in examples],
)
def test_a_violation_is_found_and_told(name: str, subject: Subject, context: Context, said: str) -> None:
    found = answers(name, subject, context)
    assert any(said in each.message for each in found), found
    assert {each.rule for each in found} == {name}
    assert {each.level for each in found} == {RULES[name].level}


@pytest.mark.parametrize(
    ("name", "subject", "context"),
    [(name, *example) for name, examples in PASSES.items() for example in examples],
)
def test_what_is_right_passes(name: str, subject: Subject, context: Context) -> None:
    assert answers(name, subject, context) == []


def test_no_message_and_no_repr_shows_a_secret() -> None:
    for name, examples in VIOLATIONS.items():
        for subject, context, _ in examples:
            assert VALUE not in repr([answers(name, subject, context), subject, context])


@pytest.mark.parametrize("stack", ["local", "staging", "production"])
def test_the_real_stacks_pass(stack: str) -> None:
    assert check(stack_plan(stack)) == []


def _without(plan: Plan, kind: str, **options: bool) -> Plan:
    changed = tuple(replace(one, **options) if one.kind == kind else one for one in plan.resources)  # type: ignore[arg-type]
    return replace(plan, resources=changed)


@pytest.mark.parametrize(
    ("option", "said"),
    [({"protect": False}, "lacks protect"), ({"retain_on_delete": False}, "lacks retain_on_delete")],
)
def test_the_bucket_of_the_real_stack_must_stay_kept(option: dict[str, bool], said: str) -> None:
    [found] = check(_without(stack_plan("staging"), "R2Bucket", **option))
    assert (found.rule, found.level) == ("data-bucket-is-kept", "mandatory")
    assert said in found.message
    assert found.urn.endswith("::storage-bucket")


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"image": ""}, "production-image-has-a-digest"),
        ({"minMachinesRunning": "0"}, "production-is-warm"),
        ({"monthlyBudgetUsd": "3"}, "within-budget"),
        ({"machines": "6"}, "ceiling-within-budget"),
    ],
)
def test_a_stack_file_that_asks_for_too_little_or_too_much(changes: dict[str, str], rule: str) -> None:
    assert rule in {each.rule for each in check(stack_plan("production", **changes))}


def test_a_secret_of_the_plan_is_found_wherever_else_it_lies_in_clear() -> None:
    keeper = command({"stdin": Secret(json.dumps({"secrets": {"R2_SECRET_ACCESS_KEY": VALUE}})), "logging": "none"})
    loud = resource("cloudflare:index/dnsRecord:DnsRecord", {"content": f"v={VALUE}"}, name="txt")
    shouting = command({"create": f"echo {VALUE}"}, name="echo")
    found = check(Plan(STAGING, (keeper, loud, shouting), {"note": f"is {VALUE}"}))
    assert {(each.rule, each.urn) for each in found} >= {
        ("no-secret-in-clear", loud.urn),
        ("no-secret-in-words", shouting.urn),
        ("secret-outputs-are-marked", ""),
    }


def test_an_ordinary_field_beside_a_secret_is_no_secret() -> None:
    keeper = command({"stdin": Secret('{"app": "reel-ballers-api", "secrets": {"TOKEN": "a-real-secret"}}')})
    found = check(Plan(STAGING, (keeper, resource("a:b:C", {"name": "reel-ballers-api"}))))
    assert "no-secret-in-clear" not in {each.rule for each in found}


@pytest.mark.parametrize("deployment", UNREADABLE)
def test_a_deployment_that_nobody_can_read_passes_no_rule_of_production(deployment: PlannedResource) -> None:
    found = {each.rule: each.level for each in check(Plan(PRODUCTION, (deployment,)))}
    assert found["production-is-warm"] == found["within-budget"] == "mandatory"


def test_what_a_preview_cannot_know_is_said_and_does_not_fail() -> None:
    deployment = step("fly deploy", UNKNOWN)
    found = [each for each in check(Plan(PRODUCTION, (deployment,))) if each.rule == "production-is-warm"]
    assert [(each.level, each.message) for each in found] == [("advisory", "not judged: stdin is not known yet")]


@pytest.mark.parametrize(("image", "broken"), [("", {"production-image-has-a-digest"}), (DIGEST, set())])
def test_before_the_first_apply_a_deployment_is_judged_by_its_stack_file(image: str, broken: set[str]) -> None:
    plan = stack_plan("production", image=image)
    unknown = tuple(
        replace(one, inputs={**one.inputs, "stdin": UNKNOWN}) if one.name == "backend-deploy" else one
        for one in plan.resources
    )
    assert {each.rule for each in check(replace(plan, resources=unknown))} == broken


def test_a_bucket_that_the_protocol_does_not_tell_everything_about_is_judged_by_the_rest() -> None:
    assert answers("data-bucket-is-kept", resource(BUCKET, protect=True, retain_on_delete=None), KNOWING) == []

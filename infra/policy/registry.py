"""All rules, and how a resource or a whole plan is held against them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from infra.policy.model import Context, Plan, PlannedResource, ResourceRule, StackRule, Violation
from infra.policy.rules import budget, commands, names, origins, production, secrecy, storage
from infra.policy.values import NotKnownError, UnreadableError

RESOURCE_RULES: Final[tuple[ResourceRule, ...]] = (
    *storage.RULES,
    *commands.RULES,
    *secrecy.RULES,
    *origins.RULES,
    *production.RULES,
    *budget.RULES,
    *names.RULES,
)
STACK_RULES: Final[tuple[StackRule, ...]] = (*secrecy.STACK_RULES, *budget.STACK_RULES)
RULES: Final[tuple[ResourceRule | StackRule, ...]] = (*RESOURCE_RULES, *STACK_RULES)


def judge(rule: ResourceRule, resource: PlannedResource, context: Context) -> Iterator[Violation]:
    """What a rule has against a resource. That it cannot judge yet is an advisory answer."""
    yield from _answers(rule, lambda: ((resource.urn, message) for message in rule.check(resource, context)))


def judge_plan(rule: StackRule, plan: Plan) -> Iterator[Violation]:
    yield from _answers(rule, lambda: rule.check(plan))


def _answers(rule: ResourceRule | StackRule, check: Callable[[], Iterable[tuple[str, str]]]) -> Iterator[Violation]:
    try:
        for urn, message in check():
            yield Violation(rule.name, rule.level, message, urn)
    except NotKnownError as error:
        yield Violation(rule.name, "advisory", f"not judged: {error} is not known yet")
    except UnreadableError as error:
        yield Violation(rule.name, rule.level, str(error))


def informed(plan: Plan) -> Plan:
    """The plan with every secret of its own known to its rules."""
    found = plan.context.secrets.union(*(secrecy.secrets_of(each) for each in plan.resources))
    found |= {text for value in plan.outputs.values() for text in secrecy.secret_texts(value)}
    return replace(plan, context=replace(plan.context, secrets=found))


def check(plan: Plan) -> list[Violation]:
    """Every violation of a plan, resource by resource, then those of the whole."""
    plan = informed(plan)
    each = [answer for one in plan.resources for rule in RESOURCE_RULES for answer in judge(rule, one, plan.context)]
    return [*each, *(answer for rule in STACK_RULES for answer in judge_plan(rule, plan))]

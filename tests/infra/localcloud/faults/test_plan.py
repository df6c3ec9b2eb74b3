"""What a plan says of a sequence of calls, and what it refuses."""

import json
import re
from typing import Any

import pytest

from infra.localcloud.faults import FaultPlan, PlanError
from tests.infra.localcloud.faults.serving import plan, rule

CALLS = [("cloudflare", "POST /a"), ("cloudflare", "GET /a"), ("r2", "PUT /b/k"), ("cloudflare", "POST /a")] * 2


def met(found: FaultPlan, calls: list[Any] = CALLS) -> list[str]:
    counts: dict[int, int] = {}
    faults = [found.meet(service, call, counts) for service, call in calls]
    return [fault.fault if fault else "" for fault in faults]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], ["", "", "", "", "", "", "", ""]),
        ([rule("r2", "*", "too_many")], ["", "", "too_many", "", "", "", "too_many", ""]),
        ([rule("cloudflare", "POST *", "lost_response", nth=2)], ["", "", "", "lost_response", "", "", "", ""]),
        (
            [rule("cloudflare", "POST *", "server_error", nth=2, times=2)],
            ["", "", "", "server_error", "server_error", "", "", ""],
        ),
        ([rule("*", "*", "lost_request", nth=7, times=0)], ["", "", "", "", "", "", "lost_request", "lost_request"]),
        ([rule("*", "PUT /?/*", "expired_token", nth=1)], ["", "", "expired_token", "", "", "", "", ""]),
        (
            [rule("r2", "*", "too_many", nth=1), rule("r2", "*", "server_error")],
            ["", "", "too_many", "", "", "", "server_error", ""],
        ),
    ],
)
def test_each_call_meets_what_its_rule_says(rules: list[dict[str, Any]], expected: list[str]) -> None:
    assert met(plan(*rules)) == expected


def test_the_same_seed_makes_the_same_faults_and_another_seed_makes_others() -> None:
    def drawn(seed: int) -> list[str]:
        return met(plan(rule("*", "*", "too_many", probability=0.3), seed=seed), CALLS * 20)

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert 20 < drawn(7).count("too_many") < 80


def test_what_one_rule_draws_does_not_depend_on_the_calls_of_another() -> None:
    drawn = plan(rule("r2", "*", "too_many", probability=0.5), rule("fly", "*", "lost_request", probability=0.5))
    alone = [call for call in CALLS * 10 if call[0] == "r2"]
    mixed = [call for each in alone for call in (("fly", "GET /"), each)]
    assert met(drawn, alone) == [fault for call, fault in zip(mixed, met(drawn, mixed), strict=True) if call[0] == "r2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"rule": []}', "rule: Extra inputs"),
        ('{"rules": [{"fault": "fire"}]}', "rules.0.fault"),
        ('{"rules": [{"fault": "latency"}]}', "latency needs latency_ms"),
        ('{"rules": [{"fault": "killed", "nth": 1, "probability": 0.5}]}', "nth or probability, not both"),
        ('{"rules": [{"fault": "killed", "nth": 0}]}', "greater than or equal to 1"),
        ('{"rules": [{"fault": "killed", "service": "aws"}]}', "rules.0.service"),
    ],
)
def test_a_wrong_plan_is_refused_with_the_place_of_the_mistake(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=re.escape(said)):
        FaultPlan.parse(text)


def test_a_plan_is_what_its_json_says() -> None:
    rules = [rule("r2", "PUT *", "latency", latency_ms=5, probability=0.5), rule("fly", "*", "killed", nth=3, times=0)]
    assert FaultPlan.parse(json.dumps({"seed": 9, "rules": rules})) == plan(*rules, seed=9)

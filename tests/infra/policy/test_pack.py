"""The pack in a process of its own, started and asked as the engine does it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.policy.registry import RULES
from infra.rehearsal.analyzer import Finding, StackFacts
from infra.rehearsal.policy_pack import PolicyPack, start
from infra.rehearsal.resource import Resource
from infra.rehearsal.urns import STACK_TYPE
from infra.rehearsal.values import UNKNOWN, Values, secret
from infra.sources import ROOT
from tests.infra.policy.support import stack_values
from tests.infra.test_stack import SECRETS, plan

PACK = ROOT / "infra" / "policy"
COMMAND = "command:local:Command"
MODAL_SECRET = SECRETS["reel:modalTokenSecret"]


def facts(stack: str = "staging", **changes: str) -> StackFacts:
    values = stack_values(stack, **changes)
    return StackFacts("reel", stack, "organization", values, frozenset(SECRETS), preview=True)


@pytest.fixture(scope="module")
def pack() -> Iterator[PolicyPack]:
    """For staging."""
    running = start(PACK, facts(), {"PATH": "/usr/bin:/bin"}, print)
    yield running
    running.close()


def command(inputs: Values, name: str = "thing") -> Resource:
    inputs = {"create": "true", "addPreviousOutputInEnv": False, **inputs}
    return Resource(f"urn:pulumi:staging::reel::{COMMAND}::{name}", COMMAND, name, custom=True, inputs=inputs)


def policies(findings: list[Finding]) -> dict[str, bool]:
    return {each.policy: each.mandatory for each in findings}


def test_the_pack_introduces_itself_with_the_version_of_its_file(pack: PolicyPack) -> None:
    assert pack.name == "reel@v1.0.0"


def test_the_engine_is_told_every_rule_its_kind_and_what_to_do(pack: PolicyPack) -> None:
    info = pack.analyzer.introduce(facts(), str(PACK))
    told = {each.name: (each.description, each.remediation_steps, each.enforcementLevel) for each in info.policies}
    assert told == {each.name: (each.description, each.remedy, int(each.level == "mandatory")) for each in RULES}


def test_a_resource_that_breaks_no_rule_gets_no_word(pack: PolicyPack) -> None:
    assert pack.analyzer.analyze(command({"environment": {"SOURCE_HASH": "0"}}), None) == []


def test_a_violation_names_rule_resource_and_remedy(pack: PolicyPack) -> None:
    resource = command({"triggers": ["1"], "delete": "true"})
    [found] = pack.analyzer.analyze(resource, None)
    assert (found.policy, found.mandatory, found.urn) == ("no-triggers-with-delete", True, resource.urn)
    assert "SOURCE_HASH" in found.message


def test_a_secret_is_known_by_its_mark_under_any_name(pack: PolicyPack) -> None:
    found = pack.analyzer.analyze(command({"environment": {"COLOUR": secret("blue")}}), None)
    assert policies(found) == {"no-secret-in-environment": True}
    assert "blue" not in found[0].message


def test_a_secret_of_the_stack_file_is_known_without_a_mark(pack: PolicyPack) -> None:
    found = pack.analyzer.analyze(command({"create": f"echo {MODAL_SECRET}"}), None)
    assert policies(found) == {"no-secret-in-words": True}
    assert MODAL_SECRET not in found[0].message


def test_a_secret_seen_before_is_known_in_the_next_resource(pack: PolicyPack) -> None:
    text = "seen-in-another-resource"
    clear = command({"environment": {"NOTE": text}})
    assert pack.analyzer.analyze(clear, None) == []
    keeper = replace(
        command({"stdin": secret(text), "logging": "none"}), additional_secret_outputs=["stdout", "stderr"]
    )
    assert pack.analyzer.analyze(keeper, None) == []
    assert policies(pack.analyzer.analyze(clear, None)) == {"no-secret-in-environment": True}


def test_options_reach_the_rules(pack: PolicyPack) -> None:
    type_ = "cloudflare:index/r2Bucket:R2Bucket"
    bucket = Resource(f"urn:pulumi:staging::reel::{type_}::bucket", type_, "bucket", custom=True)
    assert policies(pack.analyzer.analyze(bucket, None)) == {"data-bucket-is-kept": True}
    assert pack.analyzer.analyze(replace(bucket, protect=True), None) == []


def test_what_a_preview_cannot_know_is_an_advice(pack: PolicyPack) -> None:
    [found] = pack.analyzer.analyze(command({"environment": UNKNOWN}), None)
    assert (found.policy, found.mandatory) == ("no-secret-in-environment", False)
    assert "can't be known during preview" in found.message


def test_the_stack_is_judged_by_its_outputs(pack: PolicyPack) -> None:
    urn = f"urn:pulumi:staging::reel::{STACK_TYPE}::reel-staging"
    stack = Resource(urn, STACK_TYPE, "reel-staging", custom=False, outputs={"verify_token": "t", "app_url": "x"})
    token = command({}, "token")
    token.outputs = {"stdout": secret("printed-and-secret")}
    loud = command({}, "loud")
    loud.outputs = {"stdout": "it is printed-and-secret"}
    found = pack.analyzer.analyze_stack([(each, None) for each in (stack, token, loud)])
    assert {(each.policy, each.urn) for each in found} == {
        ("secret-outputs-are-marked", ""),
        ("no-secret-in-clear", loud.urn),
    }


@pytest.mark.parametrize(("image", "broken"), [("", {"production-image-has-a-digest"}), (None, set())])
def test_production_needs_its_image_already_in_the_preview_of_a_new_stack(image: str | None, broken: set[str]) -> None:
    digest = f"registry.fly.io/x@sha256:{'0' * 64}"
    running = start(PACK, facts("production", image=digest if image is None else image), {}, print)
    try:
        deploy = command({"create": ".venv/bin/python -m infra.deploy fly deploy", "stdin": UNKNOWN})
        assert policies(running.analyzer.analyze(deploy, None)).keys() == broken
    finally:
        running.close()


def test_all_of_staging_passes(pack: PolicyPack) -> None:
    resources = plan("staging").resources
    by_urn = {each.urn: each for each in resources}
    found = [each for one in resources for each in pack.analyzer.analyze(one, by_urn.get(one.provider))]
    found += pack.analyzer.analyze_stack([(each, by_urn.get(each.provider)) for each in resources])
    assert found == []


def test_the_pack_runs_from_any_folder_with_the_repositorys_own_python() -> None:
    assert (PACK / "../../.venv/bin/python").is_file()
    running = start(Path("infra/policy"), facts(), {}, print)
    running.close()

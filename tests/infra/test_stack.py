"""What the program declares for each of the three stacks: resolved inputs, edges, protection, and no secret in clear.

The whole of each plan is kept in `stacks/<stack>.json`; `python -m tests.infra.test_stack` writes them anew. The other
tests say what in them matters.
"""

import hashlib
import hmac
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import stack as program
from infra.rehearsal.api import Result, run
from infra.rehearsal.providers.base import Call
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import Values, is_secret, masked, plain
from infra.sources import ROOT
from tests.infra.fake_cloud import FakeCloud

STACKS = ("local", "staging", "production")
SECRETS = {"reel:modalTokenId": "SECRET-modal-id", "reel:modalTokenSecret": "SECRET-modal-secret"}
S3_SECRET = hashlib.sha256(b"TOKEN-VALUE").hexdigest()
VERIFY_TOKEN = hmac.new(S3_SECRET.encode(), b"verify", hashlib.sha256).hexdigest()
PLANS = Path(__file__).parent / "stacks"


@cache
def plan(stack: str, *, preview: bool = False) -> Result:
    """The stack applied on providers that make everything at once, or only looked at."""
    result = applied(stack, FakeCloud(), preview=preview)
    assert result.succeeded, result.diagnostics
    return result


def applied(stack: str, cloud: FakeCloud, *, preview: bool = False, **changes: object) -> Result:
    """`changes`: other values of the stack file, by key."""
    values = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    values |= {f"reel:{key}": value for key, value in changes.items()}
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return run(
        _declare,
        providers={"cloudflare": cloud, "command": cloud},
        config={**text, **SECRETS},
        secret_keys=frozenset(SECRETS),
        project="reel",
        stack=stack,
        preview=preview,
    )


def _declare() -> None:
    import pulumi

    for name, value in program.build(program.current_config()).items():
        pulumi.export(name, value)


def find(stack: str, name: str) -> Resource:
    found = [each for each in plan(stack).resources if each.name == name and each.custom]
    assert len(found) == 1, name
    return found[0]


def inputs(stack: str, name: str) -> dict[str, Any]:
    return {key: plain(value) for key, value in find(stack, name).inputs.items()}


def stdin(stack: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(inputs(stack, name)["stdin"])
    return found


def names(stack: str, kind: str) -> list[str]:
    return sorted(each.name for each in plan(stack).resources if each.type.endswith(f":{kind}"))


def short(urn: str) -> str:
    return urn.rpartition("::")[2]


def described(stack: str) -> dict[str, Any]:
    """The plan as data, without what changes with every edit of a source file."""
    result = plan(stack)
    resources = {
        each.name if each.custom else f"{each.name} ({each.type.rpartition(':')[2]})": {
            "type": each.type,
            "parent": short(each.parent),
            "inputs": masked(each.inputs),
            "dependencies": sorted(map(short, each.dependencies)),
            "protect": each.protect,
            "retain": each.retain_on_delete,
            "secretOutputs": each.additional_secret_outputs,
        }
        for each in sorted(result.resources, key=lambda each: (each.custom, each.name))
        if not each.is_stack
    }
    text = json.dumps({"resources": resources, "outputs": masked(result.outputs)}, indent=1, sort_keys=True)
    text = re.sub(r'("SOURCE_HASH": )"[0-9a-f]{64}"', r'\1"(content)"', text)
    stable: dict[str, Any] = json.loads(text)
    return stable


@pytest.mark.parametrize("stack", STACKS)
def test_the_whole_plan_is_the_recorded_one(stack: str) -> None:
    recorded = json.loads((PLANS / f"{stack}.json").read_text())
    assert described(stack) == recorded, "meant? then run `python -m tests.infra.test_stack`"


@pytest.mark.parametrize("stack", STACKS)
def test_no_secret_reaches_a_plain_field_or_an_output(stack: str) -> None:
    result = plan(stack)
    shown = json.dumps([[masked(each.inputs), masked(each.outputs)] for each in result.resources if each.custom])
    shown += json.dumps(masked(result.outputs))
    for value in (*SECRETS.values(), "TOKEN-VALUE", S3_SECRET, VERIFY_TOKEN):
        assert value not in shown
    assert [name for name, value in result.outputs.items() if is_secret(value)] == ["verify_token"]


@pytest.mark.parametrize("stack", STACKS)
def test_secrets_reach_the_backend_by_standard_input(stack: str) -> None:
    assert stdin(stack, "backend-secrets")["secrets"] == {
        "R2_ACCESS_KEY_ID": "storage-token-a-id",
        "R2_SECRET_ACCESS_KEY": S3_SECRET,
        "MODAL_TOKEN_ID": "SECRET-modal-id",
        "MODAL_TOKEN_SECRET": "SECRET-modal-secret",
        "VERIFY_TOKEN": VERIFY_TOKEN,
    }
    assert is_secret(find(stack, "backend-secrets").inputs["stdin"])
    for name in ("backend-secrets", "gpu-secret"):
        assert set(find(stack, name).additional_secret_outputs) == {"stdout", "stderr"}
        assert inputs(stack, name)["logging"] == "none"


@pytest.mark.parametrize("stack", STACKS)
def test_commands_never_have_triggers_and_never_a_credential(stack: str) -> None:
    for name in names(stack, "Command"):
        given = inputs(stack, name)
        assert "triggers" not in given
        assert given["addPreviousOutputInEnv"] is False
        assert set(given.get("environment") or {}) <= {"SOURCE_HASH"}
        assert given["dir"] == ".."
        assert "update" not in given, "an update runs create again"


@pytest.mark.parametrize("stack", ["local", "staging"])
def test_what_is_shared_is_protected_and_retained_by_its_owner(stack: str) -> None:
    kept = {each.name for each in plan(stack).resources if each.protect and each.retain_on_delete}
    assert kept == {"storage-bucket", "app-project"}


@pytest.mark.parametrize("stack", ["local", "staging"])
def test_what_other_stacks_need_of_the_bucket_outlives_its_owner(stack: str) -> None:
    kept = {each.name for each in plan(stack).resources if each.retain_on_delete}
    assert kept == {"storage-bucket", "storage-cors", "storage-lifecycle", "app-project"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_pages_name_that_somebody_else_has_stops_the_stack(stack: str) -> None:
    class Taken(FakeCloud):
        def invoke(self, token: str, arguments: Values, config: Values) -> Values:
            return {**super().invoke(token, arguments, config), "subdomain": "reel-4ab.pages.dev"}

        def _computed(self, call: Call) -> Values:
            found = super()._computed(call)
            return {**found, "subdomain": "reel-4ab.pages.dev"} if "subdomain" in found else found

    result = applied(stack, Taken())
    assert not result.succeeded
    assert "reel-4ab.pages.dev" in str(result.diagnostics)
    assert "choose another reel:pagesProject" in str(result.diagnostics)


def test_production_protects_nothing_that_it_does_not_share() -> None:
    assert [each.name for each in plan("production").resources if each.protect] == []


def test_production_looks_the_shared_bucket_and_project_up() -> None:
    assert names("production", "R2Bucket") == names("production", "R2BucketCors") == []
    assert names("production", "PagesProject") == ["landing-project"]
    assert plan("production").outputs["bucket"] == "reel-ballers-users"


def test_the_bucket_allows_the_origins_of_every_stack_that_shares_it() -> None:
    [rule] = inputs("staging", "storage-cors")["rules"]
    assert rule["allowed"]["origins"] == [
        "https://staging.reel-ballers-app.pages.dev",
        plan("production").outputs["app_url"],
    ]
    assert rule["exposeHeaders"] == ["ETag"]
    assert "*" not in rule["allowed"]["origins"]


@pytest.mark.parametrize("stack", ["local", "staging"])
def test_lifecycle_keeps_the_default_rule_and_touches_only_temporary_prefixes(stack: str) -> None:
    first, *others = inputs(stack, "storage-lifecycle")["rules"]
    assert first["abortMultipartUploadsTransition"]["condition"] == {"type": "Age", "maxAge": 604800}
    assert "deleteObjectsTransition" not in first
    assert [rule["conditions"]["prefix"] for rule in others] == ["tmp/"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_s3_key_is_limited_to_writing_objects_of_the_one_bucket(stack: str) -> None:
    given = inputs(stack, "storage-token-a")
    [policy] = given["policies"]
    bucket = f"com.cloudflare.edge.r2.bucket.{given['accountId']}_default_reel-ballers-users"
    assert json.loads(policy["resources"]) == {bucket: "*"}
    assert len(policy["permissionGroups"]) == 1
    assert find(stack, "storage-token-a").additional_secret_outputs == ["value"]


def test_of_several_keys_all_exist_and_the_last_is_used() -> None:
    result = applied("staging", FakeCloud(), bucketKeys=["a", "b"])
    assert {each.name for each in result.resources if each.type.endswith(":AccountToken")} == {
        "storage-token-a",
        "storage-token-b",
    }
    given = json.loads(str(plain(result.find("backend-secrets").inputs["stdin"])))
    assert given["secrets"]["R2_ACCESS_KEY_ID"] == "storage-token-b-id"


def test_a_given_image_is_deployed_whatever_the_sources_are() -> None:
    image = "registry.fly.io/other@sha256:" + "a" * 64
    deployment = applied("production", FakeCloud(), image=image).find("backend-deploy")
    assert json.loads(str(plain(deployment.inputs["stdin"])))["image"] == image
    assert not deployment.inputs.get("environment"), "a change of the sources would deploy it again"
    assert "SOURCE_HASH" in str(find("production", "backend-deploy").inputs["environment"]), "as a build does"


def test_names_of_production() -> None:
    records = {
        given["name"]: given for given in (inputs("production", name) for name in names("production", "DnsRecord"))
    }
    assert {name: (each["content"], each["proxied"]) for name, each in records.items()} == {
        "reelballers.com": ("reel-ballers-landing.pages.dev", True),
        "app.reelballers.com": ("reel-ballers-app.pages.dev", True),
        "api.reelballers.com": ("FLY-APP.fly.dev", False),
    }
    assert {inputs("production", name)["name"] for name in names("production", "PagesDomain")} == {
        "reelballers.com",
        "app.reelballers.com",
    }
    assert stdin("production", "backend-certificate")["hostname"] == "api.reelballers.com"


@pytest.mark.parametrize("stack", ["local", "staging"])
def test_stacks_without_a_domain_declare_no_names(stack: str) -> None:
    assert names(stack, "DnsRecord") == names(stack, "PagesDomain") == []
    assert "backend-certificate" not in names(stack, "Command")


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("storage-cors", {"storage-bucket"}),
        ("storage-lifecycle", {"storage-bucket"}),
        ("storage-token-a", {"storage-bucket"}),
        ("gpu-deploy", {"gpu-secret"}),
        ("app-deploy", {"app-project"}),
        ("backend-secrets", {"backend-app", "storage-token-a"}),
        ("backend-deploy", {"backend-app", "backend-secrets", "storage-token-a"}),
        ("backend-scale", {"backend-app", "backend-deploy"}),
    ],
)
def test_edges(name: str, needs: set[str]) -> None:
    assert set(map(short, find("staging", name).dependencies)) >= needs


def test_the_functions_are_deployed_before_the_backend_that_calls_them() -> None:
    [backend] = [each for each in plan("staging").resources if each.type == "reel:backend:Backend"]
    assert "gpu-deploy" in set(map(short, backend.dependencies))


def test_the_certificate_waits_for_its_record_and_for_machines() -> None:
    needs = set(map(short, find("production", "backend-certificate").dependencies))
    assert needs >= {"dns-api", "backend-scale"}


def test_the_domain_waits_for_its_record() -> None:
    assert "dns-app" in set(map(short, find("production", "dns-app-domain").dependencies))


@pytest.mark.parametrize("stack", STACKS)
def test_every_child_lies_in_a_component(stack: str) -> None:
    components = {each.urn for each in plan(stack).resources if not each.custom and not each.is_stack}
    for each in plan(stack).resources:
        if each.custom and not each.is_provider:
            assert each.parent in components, each.name


@pytest.mark.parametrize("stack", STACKS)
def test_cloudflare_is_always_reached_by_the_stacks_own_provider(stack: str) -> None:
    [provider] = [each for each in plan(stack).resources if each.type == "pulumi:providers:cloudflare"]
    assert plain(provider.inputs.get("baseUrl")) == ("http://127.0.0.1:9401/client/v4" if stack == "local" else None)
    users = [each for each in plan(stack).resources if each.type.startswith("cloudflare:")]
    assert users
    assert {each.provider for each in users} == {provider.urn}


@pytest.mark.parametrize("stack", STACKS)
def test_outputs_are_complete(stack: str) -> None:
    outputs = plan(stack).outputs
    promised = {"app_url", "api_url", "landing_url", "health_url", "ws_url", "bucket", "pages_project", "fly_app"}
    promised |= {"gpu_app", "image", "site_digest", "estimated_monthly_cost"}
    assert promised <= outputs.keys()
    empty = {name for name in promised if outputs[name] == ""}
    assert empty == (set() if stack == "production" else {"landing_url"})


def test_a_preview_says_what_each_item_costs() -> None:
    [said] = [each.message for each in plan("production", preview=True).diagnostics if "cost" in each.message]
    assert "against a budget of 40 USD" in said
    for item in ("machines always on", "R2 storage", "Modal"):
        assert item in said
    assert f"{plan('production').outputs['estimated_monthly_cost']:.2f}" in said.splitlines()[-1]


@pytest.mark.parametrize(("stack", "preview"), [("production", False), ("local", True)])
def test_nothing_is_said_of_cost_where_nothing_is_to_be_decided(stack: str, preview: bool) -> None:
    assert not [each for each in plan(stack, preview=preview).diagnostics if "cost" in each.message]


def main() -> None:
    for stack in STACKS:
        PLANS.mkdir(exist_ok=True)
        (PLANS / f"{stack}.json").write_text(json.dumps(described(stack), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

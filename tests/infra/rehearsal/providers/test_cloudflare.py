"""Cloudflare's resources on the stand-in: made, changed, found gone, taken over, deleted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare as StandIn
from infra.localcloud.r2 import R2
from infra.rehearsal.diff import Changes
from infra.rehearsal.providers.base import Call, Made, ProviderError
from infra.rehearsal.providers.cloudflare.client import Access, Client, CloudflareError
from infra.rehearsal.providers.cloudflare.kinds import KINDS
from infra.rehearsal.providers.cloudflare.names import camel, snake
from infra.rehearsal.providers.cloudflare.provider import Cloudflare
from infra.rehearsal.resource import Resource
from infra.rehearsal.values import UNKNOWN, Values, is_secret, plain, secret
from tests.infra.rehearsal.support import urn

T = TypeVar("T")
ACCOUNT, ZONE = "a" * 32, "b" * 32
TOKEN = "local-cloudflare-token"
WRITE_GROUP = "2efd5506f9c8494dacb1fa10a3e7d5b6"
TYPES = {name.rpartition(":")[2]: name for name in KINDS}


@pytest.fixture
async def stand_in(tmp_path: Path) -> AsyncIterator[StandIn]:
    r2 = R2(tmp_path / "r2")
    await r2.start()
    cloudflare = StandIn(
        state=tmp_path / "cloudflare",
        buckets=r2.control,
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={"reelballers.test": ZONE},
        site_project="app-test",
    )
    try:
        await cloudflare.start()
        yield cloudflare
    finally:
        await cloudflare.stop()
        await r2.stop()


class Hand:
    """Calls the provider as the engine does, off the event loop."""

    def __init__(self, base_url: str) -> None:
        self._access = Access(base_url, TOKEN)
        self.client = Client()
        self.provider = Cloudflare({"CLOUDFLARE_BASE_URL": base_url, "CLOUDFLARE_API_TOKEN": TOKEN}, self.client)

    async def create(self, type_: str, inputs: Values, **more: Any) -> tuple[Resource, Made]:
        resource = _resource(type_, inputs)
        made = await self._run(lambda: self.provider.create(Call(resource, inputs, **more)))
        resource.id, resource.outputs = made.id, made.outputs
        return resource, made

    async def update(self, old: Resource, inputs: Values) -> Values:
        new = Resource(**{**vars(old), "inputs": inputs})
        return await self._run(lambda: self.provider.update(Call(new, inputs, old=old)))

    async def delete(self, old: Resource) -> None:
        await self._run(lambda: self.provider.delete(Call(old, old.inputs)))

    async def exists(self, old: Resource, *lost: str) -> bool:
        return await self._run(lambda: self.provider.exists(Call(old, old.inputs, lost=frozenset(lost))))

    async def invoke(self, name: str, arguments: Values) -> Values:
        token = f"cloudflare:index/{name}:{name}"
        return await self._run(lambda: self.provider.invoke(token, arguments, {}))

    async def read(self, path: str) -> Any:
        return await self._run(lambda: self.client.send(self._access, "GET", path))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


@pytest.fixture
def hand(stand_in: StandIn) -> Iterator[Hand]:
    made = Hand(stand_in.url)
    yield made
    made.client.close()


def _resource(type_: str, inputs: Values) -> Resource:
    return Resource(urn("x", TYPES[type_]), TYPES[type_], "x", True, inputs=inputs)


BUCKET: Values = {"accountId": ACCOUNT, "name": "media-test", "location": "weur"}
PROJECT: Values = {"accountId": ACCOUNT, "name": "app-test", "productionBranch": "main"}
CORS_RULE: Values = {
    "allowed": {"methods": ["GET"], "origins": ["https://app.reelballers.test"], "headers": ["content-type"]},
    "exposeHeaders": ["etag"],
    "maxAgeSeconds": 3600,
}
ABORT_RULE: Values = {
    "id": "abort",
    "enabled": True,
    "conditions": {"prefix": ""},
    "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 86400}},
}


def token_inputs(bucket: str = "media-test") -> Values:
    resources = json.dumps({f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_{bucket}": "*"})
    policy: Values = {"effect": "allow", "permissionGroups": [{"id": WRITE_GROUP}], "resources": resources}
    return {"accountId": ACCOUNT, "name": "r2-test", "policies": [policy]}


async def test_a_bucket(hand: Hand) -> None:
    bucket, made = await hand.create("R2Bucket", BUCKET)
    assert made.id == "media-test"
    assert {"creationDate", "storageClass"} <= made.outputs.keys()
    assert made.outputs["location"] == "weur"
    assert await hand.exists(bucket)
    assert (await hand.invoke("getR2Bucket", {"accountId": ACCOUNT, "bucketName": "media-test"}))["id"] == "media-test"
    outputs = await hand.update(bucket, {**BUCKET, "storageClass": "InfrequentAccess"})
    assert outputs["storageClass"] == "InfrequentAccess"
    await hand.delete(bucket)
    assert not await hand.exists(bucket)
    await hand.delete(bucket)


async def test_rules_of_a_bucket_go_with_it(hand: Hand) -> None:
    bucket, _ = await hand.create("R2Bucket", BUCKET)
    cors, _ = await hand.create(
        "R2BucketCors", {"accountId": ACCOUNT, "bucketName": "media-test", "rules": [CORS_RULE]}
    )
    rules: Values = {"accountId": ACCOUNT, "bucketName": "media-test", "rules": [ABORT_RULE]}
    lifecycle, _ = await hand.create("R2BucketLifecycle", rules)
    path = f"accounts/{ACCOUNT}/r2/buckets/media-test"
    assert (await hand.read(f"{path}/cors"))["rules"][0]["maxAgeSeconds"] == 3600
    assert (await hand.read(f"{path}/lifecycle"))["rules"][0]["id"] == "abort"
    assert await hand.exists(cors)
    assert await hand.exists(lifecycle)
    assert not await hand.exists(lifecycle, bucket.urn)
    await hand.delete(lifecycle)
    assert await hand.exists(lifecycle)
    await hand.delete(cors)
    assert not await hand.exists(cors)


async def test_a_token_shows_its_secret_value_once(hand: Hand) -> None:
    await hand.create("R2Bucket", BUCKET)
    token, made = await hand.create("AccountToken", token_inputs())
    assert is_secret(made.outputs["value"])
    kept = await hand.update(token, {**token_inputs(), "name": "renamed"})
    assert plain(kept["value"]) == plain(made.outputs["value"])
    assert (await hand.read(f"accounts/{ACCOUNT}/tokens/{token.id}"))["name"] == "renamed"
    await hand.delete(token)
    assert not await hand.exists(token)


async def test_a_token_whose_maker_was_killed_is_replaced_and_others_stay(hand: Hand) -> None:
    await hand.create("R2Bucket", BUCKET)
    orphan, _ = await hand.create("AccountToken", token_inputs())
    other, _ = await hand.create("AccountToken", {**token_inputs(), "name": "other"})
    token, _ = await hand.create("AccountToken", token_inputs(), resumed=True)
    assert not await hand.exists(orphan)
    assert await hand.exists(token)
    assert await hand.exists(other)


async def test_a_project_with_its_domain_and_record(hand: Hand) -> None:
    configs: Values = {
        "production": {
            "envVars": {
                "API_BASE": {"type": "plain_text", "value": "https://api.test"},
                "A_KEY": {"type": "secret_text", "value": secret("hush-hush")},
            }
        }
    }
    project, made = await hand.create("PagesProject", {**PROJECT, "deploymentConfigs": configs})
    assert made.outputs["subdomain"] == "app-test.pages.dev"
    found = await hand.read(f"accounts/{ACCOUNT}/pages/projects/app-test")
    assert found["deployment_configs"]["production"]["env_vars"]["API_BASE"]["value"] == "https://api.test"
    kept = made.outputs["deploymentConfigs"]
    assert isinstance(kept, dict)
    assert json.dumps(kept["production"]).count("hush-hush") == 1
    record, _ = await hand.create("DnsRecord", _record("CNAME", "www.reelballers.test", "app-test.pages.dev"))
    where: Values = {"accountId": ACCOUNT, "projectName": "app-test", "name": "www.reelballers.test"}
    domain, made = await hand.create("PagesDomain", where)
    assert made.outputs["zoneTag"] == ZONE
    for resource in (domain, record, project):
        assert await hand.exists(resource)
        await hand.delete(resource)
        assert not await hand.exists(resource)


def _record(type_: str, name: str, content: str) -> Values:
    return {"zoneId": ZONE, "type": type_, "name": name, "content": content, "ttl": 300}


async def test_a_record_is_updated_in_place(hand: Hand) -> None:
    record, _ = await hand.create("DnsRecord", _record("TXT", "reelballers.test", '"v=spf1 -all"'))
    await hand.update(record, {**record.inputs, "ttl": 600})
    assert (await hand.read(f"zones/{ZONE}/dns_records/{record.id}"))["ttl"] == 600


@pytest.mark.parametrize(
    ("type_", "inputs"),
    [
        ("R2Bucket", BUCKET),
        ("PagesProject", PROJECT),
        ("DnsRecord", _record("CNAME", "www.reelballers.test", "x.pages.dev")),
        ("DnsRecord", _record("TXT", "reelballers.test", '"second"')),
    ],
)
async def test_what_a_killed_run_made_is_taken_over_and_else_refused(hand: Hand, type_: str, inputs: Values) -> None:
    await hand.create("DnsRecord", _record("TXT", "reelballers.test", '"first"'))
    first, _ = await hand.create(type_, inputs)
    with pytest.raises(CloudflareError, match="exists"):
        await hand.create(type_, inputs)
    lines: list[str] = []
    second, _ = await hand.create(type_, inputs, resumed=True, say=lines.append)
    assert second.id == first.id
    assert "taken over" in lines[0]


async def test_a_domain_that_a_killed_run_added_is_taken_over(hand: Hand) -> None:
    await hand.create("PagesProject", PROJECT)
    where: Values = {"accountId": ACCOUNT, "projectName": "app-test", "name": "www.reelballers.test"}
    await hand.create("PagesDomain", where)
    second, _ = await hand.create("PagesDomain", where, resumed=True)
    assert second.id == "www.reelballers.test"


async def test_zones_and_permission_groups_are_found(hand: Hand) -> None:
    assert (await hand.invoke("getZone", {"zoneId": ZONE}))["name"] == "reelballers.test"
    assert (await hand.invoke("getZone", {"filter": {"name": "reelballers.test"}}))["zoneId"] == ZONE
    zones = (await hand.invoke("getZones", {"name": "reelballers.test"}))["results"]
    assert isinstance(zones, list)
    assert len(zones) == 1
    groups = await hand.invoke(
        "getAccountApiTokenPermissionGroupsList",
        {"accountId": ACCOUNT, "name": "Workers R2 Storage Bucket Item Write"},
    )
    assert isinstance(groups["results"], list)
    assert groups["results"][0]["id"] == WRITE_GROUP  # type: ignore[index,call-overload]
    await hand.create("PagesProject", PROJECT)
    project = await hand.invoke("getPagesProject", {"accountId": ACCOUNT, "projectName": "app-test"})
    assert project["subdomain"] == "app-test.pages.dev"
    with pytest.raises(ProviderError, match="0 zones fit"):
        await hand.invoke("getZone", {"filter": {"name": "other.test"}})
    with pytest.raises(ProviderError, match="of Cloudflare's it calls"):
        await hand.invoke("getRuleset", {})


async def test_an_error_of_the_api_is_told_with_its_code(hand: Hand) -> None:
    with pytest.raises(CloudflareError, match=r"POST accounts/a+/r2/buckets: 400: .*\(code 10005\)"):
        await hand.create("R2Bucket", {**BUCKET, "name": "NOT VALID"})


def diff(type_: str, old: Values, new: Values) -> Changes:
    return Cloudflare({}).diff(_resource(type_, old), new)


def test_what_cannot_change_in_place_replaces_and_secrecy_alone_is_no_change() -> None:
    assert diff("R2Bucket", BUCKET, {**BUCKET, "name": "other"}).replaces
    assert diff("R2Bucket", BUCKET, {**BUCKET, "name": "other"}).delete_first
    assert not diff("R2Bucket", BUCKET, {**BUCKET, "storageClass": "InfrequentAccess"}).replaces
    assert not diff("R2Bucket", BUCKET, {**BUCKET, "name": secret("media-test")}).any
    assert not diff("AccountToken", token_inputs(), token_inputs("other")).replaces


def test_a_preview_knows_the_inputs_and_not_what_the_api_will_say() -> None:
    made = Cloudflare({}).plan(Call(_resource("PagesProject", PROJECT), PROJECT))
    assert made.id == ""
    assert made.outputs["subdomain"] == UNKNOWN
    assert made.outputs["name"] == "app-test"


@pytest.mark.parametrize("base_url", ["", "https://api.cloudflare.com/client/v4"])
def test_it_never_calls_another_machine(base_url: str) -> None:
    provider = Cloudflare({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:1"} if base_url else {})
    resource = _resource("R2Bucket", BUCKET)
    with pytest.raises(ProviderError, match=r"base URL is .*loopback address"):
        provider.create(Call(resource, BUCKET, {"baseUrl": base_url} if base_url else {}))


def test_a_stand_in_that_is_not_there_is_named_with_how_to_start_it() -> None:
    provider = Cloudflare({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:1/client/v4"})
    with pytest.raises(ProviderError, match=r"cannot reach .*127\.0\.0\.1:1.*infra\.localcloud serve"):
        provider.create(Call(_resource("R2Bucket", BUCKET), BUCKET))


def test_a_type_that_is_not_here_is_refused_with_those_that_are() -> None:
    resource = Resource("u", "cloudflare:index/ruleset:Ruleset", "x", True)
    with pytest.raises(ProviderError, match=r"cannot make a .*Ruleset; of Cloudflare's it makes AccountToken"):
        Cloudflare({}).plan(Call(resource, {}))


def test_names_are_translated_and_the_users_own_are_not() -> None:
    ours: Values = {"deploymentConfigs": {"production": {"envVars": {"myVar_name": {"value": "x"}}}}, "ipv4Only": True}
    theirs: Values = {
        "deployment_configs": {"production": {"env_vars": {"myVar_name": {"value": "x"}}}},
        "ipv4_only": True,
    }
    assert snake(ours) == theirs
    assert camel(theirs) == ours


class Answers(httpx.BaseTransport):
    """Gives prepared answers: a status, with an error code if it is one, or None for a lost answer."""

    def __init__(self, *answers: tuple[int, int] | None) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        answer = self._answers.pop(0)
        if answer is None:
            raise httpx.RemoteProtocolError("the connection was closed")
        status, code = answer
        errors = [{"code": code, "message": "said no"}] if code else []
        result: Any = [] if request.method == "GET" else {"id": "t-1", "name": "media-test", "value": "shown-once"}
        headers = {"retry-after": "0"}
        return httpx.Response(status, headers=headers, json={"success": not code, "errors": errors, "result": result})


def on(answers: Answers) -> Cloudflare:
    return Cloudflare({"CLOUDFLARE_BASE_URL": "http://127.0.0.1:1"}, Client(answers))


@pytest.mark.parametrize("trouble", [(429, 1), (500, 1), (503, 1), None])
def test_it_tries_again_after_trouble(trouble: tuple[int, int] | None) -> None:
    answers = Answers(trouble, (200, 0))
    assert on(answers).create(Call(_resource("R2Bucket", BUCKET), BUCKET)).id == "media-test"
    assert answers.asked == ["POST buckets", "POST buckets"]


@pytest.mark.parametrize("trouble", [(502, 1), None])
def test_what_exists_after_a_lost_answer_is_its_own(trouble: tuple[int, int] | None) -> None:
    answers = Answers(trouble, (409, 10004), (200, 0))
    assert on(answers).create(Call(_resource("R2Bucket", BUCKET), BUCKET)).id == "media-test"
    assert answers.asked[-1] == "GET media-test"


def test_what_exists_after_a_refused_attempt_is_not_its_own() -> None:
    with pytest.raises(CloudflareError, match="10004"):
        on(Answers((429, 1), (409, 10004))).create(Call(_resource("R2Bucket", BUCKET), BUCKET))


def test_a_token_lost_on_the_way_is_looked_for_before_another_is_made() -> None:
    answers = Answers(None, (200, 0), (200, 0))
    on(answers).create(Call(_resource("AccountToken", token_inputs()), token_inputs()))
    assert answers.asked == ["POST tokens", "GET tokens", "POST tokens"]


def test_after_too_many_attempts_it_stays_uncertain() -> None:
    with pytest.raises(ProviderError) as caught:
        on(Answers(*[(500, 1)] * 4)).create(Call(_resource("R2Bucket", BUCKET), BUCKET))
    assert caught.value.uncertain
    with pytest.raises(ProviderError, match="RemoteProtocolError") as caught:
        on(Answers(*[None] * 4)).create(Call(_resource("R2Bucket", BUCKET), BUCKET))
    assert caught.value.uncertain

from typing import Any

import httpx
import pytest
from cloudflare import APIStatusError, AsyncCloudflare

from infra.localcloud.r2.protocol import CorsRule
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, refusal, result

CORS = f"/accounts/{ACCOUNT}/r2/buckets/users/cors"
RULE = {
    "id": "app",
    "allowed": {"origins": ["http://localhost:5173"], "methods": ["GET", "PUT"], "headers": ["content-type"]},
    "exposeHeaders": ["ETag"],
    "maxAgeSeconds": 3600,
}


@pytest.fixture(autouse=True)
def bucket(buckets: FakeBuckets) -> None:
    buckets.create_bucket("users")


async def test_rules_put_by_the_sdk_reach_the_bucket_and_come_back(sdk: AsyncCloudflare, buckets: FakeBuckets) -> None:
    await sdk.r2.buckets.cors.update(
        "users",
        account_id=ACCOUNT,
        rules=[
            {
                "id": "app",
                "allowed": {"origins": ["http://localhost:5173"], "methods": ["GET", "PUT"], "headers": ["*"]},
                "expose_headers": ["ETag"],
                "max_age_seconds": 3600,
            }
        ],
    )
    assert buckets.cors("users") == [
        CorsRule(("http://localhost:5173",), ("GET", "PUT"), ("*",), ("ETag",), 3600, "app")
    ]
    (rule,) = (await sdk.r2.buckets.cors.get("users", account_id=ACCOUNT)).rules or []
    assert (rule.id, rule.allowed.origins, rule.max_age_seconds) == ("app", ["http://localhost:5173"], 3600)


async def test_rules_come_back_as_they_were_put(api: httpx.AsyncClient) -> None:
    minimal: dict[str, Any] = {"allowed": {"origins": ["*"], "methods": ["HEAD"]}}
    assert result(await api.put(CORS, json={"rules": [RULE, minimal]})) == {}
    assert result(await api.get(CORS)) == {"rules": [RULE, minimal]}


async def test_a_bucket_without_rules_has_no_configuration(sdk: AsyncCloudflare) -> None:
    with pytest.raises(APIStatusError) as caught:
        await sdk.r2.buckets.cors.get("users", account_id=ACCOUNT)
    assert (caught.value.status_code, caught.value.errors[0].code) == (404, 10059)


async def test_deleting_removes_the_rules(api: httpx.AsyncClient) -> None:
    await api.put(CORS, json={"rules": [RULE]})
    assert result(await api.delete(CORS)) == {}
    assert refusal(await api.get(CORS)) == (404, 10059)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"allowed": None}, "allowed"),
        ({"allowed": {"origins": [], "methods": ["GET"]}}, "at least one origin"),
        ({"allowed": {"origins": ["*"], "methods": ["PATCH"]}}, "'PATCH'"),
        ({"allowed": {"origins": ["https://a.test/path"], "methods": ["GET"]}}, "'https://a.test/path'"),
        ({"allowed": {"origins": ["a.test"], "methods": ["GET"]}}, "'a.test'"),
        ({"allowed": {"origins": "*", "methods": ["GET"]}}, "origins is no list"),
        ({"maxAgeSeconds": 86_401}, "86401"),
        ({"maxAgeSeconds": True}, "True"),
        ({"exposeHeaders": [1]}, "exposeHeaders"),
    ],
)
async def test_a_broken_rule_is_refused_and_the_old_rules_stay(
    api: httpx.AsyncClient, change: dict[str, Any], named: str
) -> None:
    await api.put(CORS, json={"rules": [RULE]})
    response = await api.put(CORS, json={"rules": [RULE | change]})
    assert refusal(response) == (400, 10040)
    assert named in response.json()["errors"][0]["message"]
    assert result(await api.get(CORS)) == {"rules": [RULE]}


@pytest.mark.parametrize("rules", [[], None, {}])
async def test_no_rules_are_refused(api: httpx.AsyncClient, rules: object) -> None:
    assert refusal(await api.put(CORS, json={"rules": rules})) == (400, 10040)


async def test_a_missing_bucket_is_refused(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get(CORS.replace("users", "none"))) == (404, 10006)

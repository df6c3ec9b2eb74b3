from typing import Any

import httpx
import pytest
from cloudflare import AsyncCloudflare

from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, refusal, result

BUCKETS = f"/accounts/{ACCOUNT}/r2/buckets"
LIFECYCLE = f"{BUCKETS}/users/lifecycle"
EXPIRE: dict[str, Any] = {
    "id": "expire temporary files",
    "enabled": True,
    "conditions": {"prefix": "staging/tmp/"},
    "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 86_400}},
}
ABORT: dict[str, Any] = {
    "id": "abort uploads",
    "enabled": True,
    "conditions": {"prefix": ""},
    "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 604_800}},
}


@pytest.fixture(autouse=True)
async def bucket(api: httpx.AsyncClient) -> None:
    result(await api.post(BUCKETS, json={"name": "users"}))


async def test_a_put_replaces_every_rule(api: httpx.AsyncClient, buckets: FakeBuckets) -> None:
    assert result(await api.put(LIFECYCLE, json={"rules": [ABORT]})) == {}
    assert result(await api.put(LIFECYCLE, json={"rules": [EXPIRE]})) == {}
    assert result(await api.get(LIFECYCLE)) == {"rules": [EXPIRE]}
    assert buckets.lifecycle("users") == [EXPIRE]


async def test_a_put_without_rules_removes_all(api: httpx.AsyncClient) -> None:
    assert result(await api.put(LIFECYCLE, json={"rules": []})) == {}
    assert result(await api.get(LIFECYCLE)) == {"rules": []}


async def test_dates_and_storage_classes_are_accepted(api: httpx.AsyncClient) -> None:
    rule = {
        "id": "archive",
        "enabled": False,
        "conditions": {"prefix": ""},
        "deleteObjectsTransition": {"condition": {"type": "Date", "date": "2030-01-01T00:00:00Z"}},
        "storageClassTransitions": [
            {"condition": {"type": "Age", "maxAge": 2_592_000}, "storageClass": "InfrequentAccess"}
        ],
    }
    result(await api.put(LIFECYCLE, json={"rules": [ABORT, rule]}))
    assert result(await api.get(LIFECYCLE)) == {"rules": [ABORT, rule]}


async def test_an_age_in_a_float_is_kept_as_whole_seconds(api: httpx.AsyncClient, buckets: FakeBuckets) -> None:
    rule = EXPIRE | {"deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 86_400.0}}}
    result(await api.put(LIFECYCLE, json={"rules": [rule]}))
    kept = buckets.lifecycle("users")[0]["deleteObjectsTransition"]["condition"]["maxAge"]
    assert (kept, type(kept)) == (86_400, int)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": ""}, "rules[0].id"),
        ({"enabled": "yes"}, "rules[0].enabled"),
        ({"conditions": "staging/"}, "rules[0].conditions"),
        ({"conditions": {"prefix": 1}}, "rules[0].conditions"),
        ({"deleteObjectsTransition": None}, "does nothing"),
        ({"deleteObjectsTransition": {}}, "no object 'condition'"),
        ({"deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": -1}}}, "Age"),
        ({"deleteObjectsTransition": {"condition": {"type": "Date", "date": "soon"}}}, "or a Date"),
        ({"abortMultipartUploadsTransition": {"condition": {"type": "Date", "date": "2030-01-01"}}}, "an Age"),
        ({"storageClassTransitions": [{"condition": {"type": "Age", "maxAge": 1}, "storageClass": "Cold"}]}, "Class"),
        ({"deleteObjectTransition": {}}, "'deleteObjectTransition'"),
    ],
)
async def test_a_broken_rule_is_refused_and_the_old_rules_stay(
    api: httpx.AsyncClient, change: dict[str, Any], named: str
) -> None:
    await api.put(LIFECYCLE, json={"rules": [ABORT]})
    response = await api.put(LIFECYCLE, json={"rules": [EXPIRE | change]})
    assert refusal(response) == (400, 10040)
    assert named in response.json()["errors"][0]["message"]
    assert result(await api.get(LIFECYCLE)) == {"rules": [ABORT]}


async def test_the_sdk_reads_the_rules(api: httpx.AsyncClient, sdk: AsyncCloudflare) -> None:
    await api.put(LIFECYCLE, json={"rules": [EXPIRE]})
    (rule,) = (await sdk.r2.buckets.lifecycle.get("users", account_id=ACCOUNT)).rules or []
    assert (rule.id, rule.enabled, rule.conditions.prefix) == (EXPIRE["id"], True, "staging/tmp/")


async def test_ids_must_differ(api: httpx.AsyncClient) -> None:
    assert refusal(await api.put(LIFECYCLE, json={"rules": [EXPIRE, EXPIRE]})) == (400, 10040)


async def test_a_missing_bucket_is_refused(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get(LIFECYCLE.replace("users", "none"))) == (404, 10006)

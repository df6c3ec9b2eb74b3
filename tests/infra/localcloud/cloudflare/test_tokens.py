import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudflare import AsyncCloudflare

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.cloudflare.permission_groups import ITEM_READ, ITEM_WRITE
from tests.infra.localcloud.cloudflare.conftest import MakeCloudflare
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, refusal, result

TOKENS = f"/accounts/{ACCOUNT}/tokens"
RESOURCE = f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_users"


def policy(*groups: str, **change: Any) -> dict[str, Any]:
    return {
        "effect": "allow",
        "permission_groups": [{"id": group} for group in groups],
        "resources": {RESOURCE: "*"},
    } | change


def wanted(**change: Any) -> dict[str, Any]:
    return {"name": "users-local", "policies": [policy(ITEM_WRITE)]} | change


async def test_the_sdk_finds_the_permission_groups_by_name(sdk: AsyncCloudflare) -> None:
    groups = {group.name: group.id async for group in sdk.accounts.tokens.permission_groups.list(account_id=ACCOUNT)}
    assert groups == {
        "Workers R2 Storage Bucket Item Write": "2efd5506f9c8494dacb1fa10a3e7d5b6",
        "Workers R2 Storage Bucket Item Read": "6a018a9f2fc74eb6b293b0c548f38b39",
    }
    named = sdk.accounts.tokens.permission_groups.list(
        account_id=ACCOUNT, name="Workers R2 Storage Bucket Item Write", scope="com.cloudflare.edge.r2.bucket"
    )
    assert [group.id async for group in named] == [ITEM_WRITE]


async def test_a_new_token_is_an_s3_key_of_its_bucket(sdk: AsyncCloudflare, buckets: FakeBuckets) -> None:
    made = await sdk.accounts.tokens.create(
        account_id=ACCOUNT,
        name="users-local",
        policies=[
            {
                "effect": "allow",
                "permission_groups": [{"id": ITEM_WRITE}],
                "resources": {RESOURCE: "*"},
            }
        ],
    )
    assert made is not None
    assert made.id
    assert made.value
    assert made.status == "active"
    secret = hashlib.sha256(made.value.encode()).hexdigest()
    assert buckets.granted == {made.id: (secret, "users", "write")}


async def test_the_value_is_answered_once_and_never_stored(
    api: httpx.AsyncClient, sdk: AsyncCloudflare, cloudflare: Cloudflare, tmp_path: Path
) -> None:
    made = result(await api.post(TOKENS, json=wanted()))
    read = await sdk.accounts.tokens.get(made["id"], account_id=ACCOUNT)
    assert read is not None
    assert read.name == "users-local"
    for answer in (await api.get(TOKENS), await api.get(f"{TOKENS}/{made['id']}")):
        assert "value" not in answer.text
    cloudflare.close()
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cloudflare").rglob("*") if file.is_file())
    assert made["id"].encode() in kept
    assert made["value"].encode() not in kept


@pytest.mark.parametrize(
    ("groups", "permission"),
    [([ITEM_READ], "read"), ([ITEM_WRITE], "write"), ([ITEM_READ, ITEM_WRITE], "write")],
)
async def test_permission_groups_become_the_permission_of_the_key(
    api: httpx.AsyncClient, buckets: FakeBuckets, groups: list[str], permission: str
) -> None:
    made = result(await api.post(TOKENS, json=wanted(policies=[policy(*groups)])))
    assert buckets.granted[made["id"]][2] == permission


async def test_replacing_a_token_keeps_its_value_and_changes_what_it_may(
    api: httpx.AsyncClient, buckets: FakeBuckets
) -> None:
    made = result(await api.post(TOKENS, json=wanted()))
    secret = buckets.granted[made["id"]][0]
    changed = result(await api.put(f"{TOKENS}/{made['id']}", json=wanted(name="b", policies=[policy(ITEM_READ)])))
    assert changed["name"] == "b"
    assert "value" not in changed
    assert buckets.granted[made["id"]] == (secret, "users", "read")


async def test_a_disabled_token_loses_its_key_until_it_is_active_again(
    api: httpx.AsyncClient, buckets: FakeBuckets
) -> None:
    made = result(await api.post(TOKENS, json=wanted()))
    await api.put(f"{TOKENS}/{made['id']}", json=wanted(status="disabled"))
    assert buckets.granted == {}
    await api.put(f"{TOKENS}/{made['id']}", json=wanted())
    assert made["id"] in buckets.granted


async def test_deleting_a_token_revokes_its_key(
    sdk: AsyncCloudflare, api: httpx.AsyncClient, buckets: FakeBuckets
) -> None:
    made = result(await api.post(TOKENS, json=wanted()))
    deleted = await sdk.accounts.tokens.delete(made["id"], account_id=ACCOUNT)
    assert deleted is not None
    assert deleted.id == made["id"]
    assert buckets.granted == {}
    assert refusal(await api.get(f"{TOKENS}/{made['id']}"))[0] == 404


async def test_a_token_verifies_itself_and_may_do_nothing_else(api: httpx.AsyncClient) -> None:
    made = result(await api.post(TOKENS, json=wanted()))
    own = {"authorization": f"Bearer {made['value']}"}
    assert result(await api.get(f"{TOKENS}/verify", headers=own)) == {"id": made["id"], "status": "active"}
    assert refusal(await api.get(TOKENS, headers=own)) == (403, 10000)
    assert refusal(await api.get(f"/accounts/{ACCOUNT}/r2/buckets", headers=own)) == (403, 10000)


async def test_a_start_grants_again_what_the_bucket_side_lost(
    make_cloudflare: MakeCloudflare, cloudflare: Cloudflare, api: httpx.AsyncClient, buckets: FakeBuckets
) -> None:
    result(await api.post(TOKENS, json=wanted()))
    before = dict(buckets.granted)
    cloudflare.close()
    buckets.granted.clear()
    again = make_cloudflare()
    again.open()
    again.close()
    assert buckets.granted == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (wanted(name=""), 400),
        (wanted(policies=[]), 400),
        (wanted(policies=["all"]), 400),
        (wanted(policies=[policy(ITEM_WRITE, effect="permit")]), 400),
        (wanted(policies=[policy(ITEM_WRITE, resources='{"as": "text"}')]), 400),
        (wanted(policies=[policy(ITEM_WRITE, resources={})]), 400),
        (wanted(policies=[policy(ITEM_WRITE, resources={RESOURCE: "some"})]), 400),
        (wanted(policies=[policy("0" * 32)]), 400),
        (wanted(policies=[policy()]), 400),
        (wanted(status="expired"), 400),
        (wanted(policies=[policy(ITEM_WRITE, effect="deny")]), 501),
        (wanted(policies=[policy(ITEM_WRITE, resources={f"com.cloudflare.api.account.{ACCOUNT}": "*"})]), 501),
        (wanted(policies=[policy(ITEM_WRITE, resources={RESOURCE: "*", RESOURCE + "2": "*"})]), 501),
        (wanted(expires_on="2030-01-01T00:00:00Z"), 501),
        (wanted(condition={"request_ip": {"in": ["127.0.0.1"]}}), 501),
    ],
)
async def test_what_cannot_be_granted_is_refused_and_grants_nothing(
    api: httpx.AsyncClient, buckets: FakeBuckets, body: dict[str, Any], status: int
) -> None:
    assert refusal(await api.post(TOKENS, json=body))[0] == status
    assert buckets.granted == {}
    assert result(await api.get(TOKENS)) == []

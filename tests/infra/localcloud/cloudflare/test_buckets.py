import httpx
import pytest
from cloudflare import APIStatusError, AsyncCloudflare

from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, refusal, result

BUCKETS = f"/accounts/{ACCOUNT}/r2/buckets"


async def test_the_sdk_makes_reads_lists_and_deletes_a_bucket(sdk: AsyncCloudflare, buckets: FakeBuckets) -> None:
    made = await sdk.r2.buckets.create(account_id=ACCOUNT, name="users", location_hint="weur")
    assert (made.name, made.location, made.storage_class, made.jurisdiction) == ("users", "weur", "Standard", "default")
    assert made.creation_date
    assert made.creation_date.endswith("Z")
    assert await sdk.r2.buckets.get("users", account_id=ACCOUNT) == made
    listed = await sdk.r2.buckets.list(account_id=ACCOUNT)
    assert [bucket.name for bucket in listed.buckets or []] == ["users"]
    assert buckets.has_bucket("users")
    await sdk.r2.buckets.delete("users", account_id=ACCOUNT)
    assert not buckets.has_bucket("users")


async def test_a_bucket_with_objects_is_not_deleted(sdk: AsyncCloudflare, buckets: FakeBuckets) -> None:
    await sdk.r2.buckets.create(account_id=ACCOUNT, name="users")
    buckets.filled.add("users")
    with pytest.raises(APIStatusError) as caught:
        await sdk.r2.buckets.delete("users", account_id=ACCOUNT)
    assert caught.value.status_code == 409
    assert caught.value.errors[0].code == 10008
    assert "not empty" in str(caught.value.errors[0].message)
    assert buckets.has_bucket("users")


async def test_a_name_is_taken_once(api: httpx.AsyncClient) -> None:
    assert result(await api.post(BUCKETS, json={"name": "users"}))
    assert refusal(await api.post(BUCKETS, json={"name": "users"})) == (409, 10004)


@pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "-start", "end-", "x" * 64, "", None, 7])
async def test_an_impossible_name_is_refused(api: httpx.AsyncClient, name: object) -> None:
    assert refusal(await api.post(BUCKETS, json={"name": name})) == (400, 10005)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_missing_bucket_is_refused(api: httpx.AsyncClient, method: str) -> None:
    assert refusal(await api.request(method, f"{BUCKETS}/none")) == (404, 10006)


@pytest.mark.parametrize("field", ["locationHint", "storageClass"])
async def test_an_unknown_location_or_storage_class_is_refused(api: httpx.AsyncClient, field: str) -> None:
    response = await api.post(BUCKETS, json={"name": "users", field: "moon"})
    assert refusal(response)[0] == 400
    assert "'moon'" in response.json()["errors"][0]["message"]


async def test_a_location_counts_only_at_the_first_creation_of_a_name(api: httpx.AsyncClient) -> None:
    await api.post(BUCKETS, json={"name": "users", "locationHint": "weur"})
    await api.delete(f"{BUCKETS}/users")
    assert result(await api.post(BUCKETS, json={"name": "users", "locationHint": "apac"}))["location"] == "weur"


async def test_the_storage_class_is_changed_by_header(api: httpx.AsyncClient) -> None:
    await api.post(BUCKETS, json={"name": "users"})
    headers = {"cf-r2-storage-class": "InfrequentAccess"}
    assert result(await api.patch(f"{BUCKETS}/users", headers=headers))["storage_class"] == "InfrequentAccess"
    assert result(await api.get(f"{BUCKETS}/users"))["storage_class"] == "InfrequentAccess"


async def test_buckets_are_filtered_and_paged_by_name(api: httpx.AsyncClient) -> None:
    for name in ("data-b", "data-a", "logs", "data-c"):
        await api.post(BUCKETS, json={"name": name})
    first = (await api.get(BUCKETS, params={"name_contains": "data", "per_page": 2})).json()
    assert [bucket["name"] for bucket in first["result"]["buckets"]] == ["data-a", "data-b"]
    rest = {"name_contains": "data", "per_page": 2, "cursor": first["result_info"]["cursor"]}
    second = (await api.get(BUCKETS, params=rest)).json()
    assert [bucket["name"] for bucket in second["result"]["buckets"]] == ["data-c"]
    assert "cursor" not in second["result_info"]
    downwards = {"direction": "desc", "start_after": "data-c"}
    names = [bucket["name"] for bucket in result(await api.get(BUCKETS, params=downwards))["buckets"]]
    assert names == ["data-b", "data-a"]


async def test_another_jurisdiction_is_not_implemented(api: httpx.AsyncClient) -> None:
    response = await api.post(BUCKETS, json={"name": "users"}, headers={"cf-r2-jurisdiction": "eu"})
    assert refusal(response)[0] == 501

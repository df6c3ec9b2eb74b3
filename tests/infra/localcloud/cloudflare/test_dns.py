from typing import Any

import httpx
import pytest
from cloudflare import AsyncCloudflare, BadRequestError

from tests.infra.localcloud.cloudflare.support import ZONE, ZONE_ID, refusal, result

RECORDS = f"/zones/{ZONE_ID}/dns_records"


async def create(api: httpx.AsyncClient, kind: str, name: str, content: str, **more: Any) -> Any:
    return result(await api.post(RECORDS, json={"type": kind, "name": name, "content": content, **more}))


async def test_the_sdk_makes_lists_edits_and_deletes_a_record(sdk: AsyncCloudflare) -> None:
    made = await sdk.dns.records.create(
        zone_id=ZONE_ID, type="CNAME", name="app", content="reel-ballers-app.pages.dev", ttl=1, proxied=True
    )
    assert made is not None
    assert (made.name, made.type, made.proxied) == (f"app.{ZONE}", "CNAME", True)
    listed = [record.id async for record in sdk.dns.records.list(zone_id=ZONE_ID, type="CNAME")]
    assert listed == [made.id]
    edited = await sdk.dns.records.edit(
        made.id, zone_id=ZONE_ID, type="CNAME", name=f"app.{ZONE}", ttl=300, proxied=False, comment="to Pages"
    )
    assert edited is not None
    assert (edited.content, edited.ttl, edited.comment) == ("reel-ballers-app.pages.dev", 300, "to Pages")
    await sdk.dns.records.delete(made.id, zone_id=ZONE_ID)
    assert [record async for record in sdk.dns.records.list(zone_id=ZONE_ID)] == []


async def test_a_put_resets_what_it_leaves_out_and_keeps_the_id(api: httpx.AsyncClient) -> None:
    made = await create(api, "A", "api", "203.0.113.7", ttl=120, comment="to Fly")
    body = {"type": "A", "name": "api", "content": "203.0.113.8"}
    replaced = result(await api.put(f"{RECORDS}/{made['id']}", json=body))
    assert (replaced["id"], replaced["created_on"]) == (made["id"], made["created_on"])
    assert (replaced["content"], replaced["ttl"], replaced["comment"]) == ("203.0.113.8", 1, None)
    assert result(await api.get(f"{RECORDS}/{made['id']}")) == replaced


async def test_a_patch_keeps_what_it_leaves_out(api: httpx.AsyncClient) -> None:
    made = await create(api, "A", "api", "203.0.113.7", ttl=120)
    patched = result(await api.patch(f"{RECORDS}/{made['id']}", json={"content": "203.0.113.8"}))
    assert (patched["ttl"], patched["content"], patched["name"]) == (120, "203.0.113.8", f"api.{ZONE}")
    refused = await api.patch(f"{RECORDS}/{made['id']}", json={"content": "nowhere"})
    assert refusal(refused) == (400, 9005)
    assert result(await api.get(f"{RECORDS}/{made['id']}")) == patched


@pytest.mark.parametrize(("kind", "content"), [("A", "203.0.113.7"), ("AAAA", "2001:db8::1"), ("CNAME", "other.test")])
async def test_a_cname_is_alone_with_its_host(api: httpx.AsyncClient, kind: str, content: str) -> None:
    await create(api, kind, "app", content)
    cname = {"type": "CNAME", "name": "app", "content": "reel-ballers-app.pages.dev"}
    assert refusal(await api.post(RECORDS, json=cname)) == (400, 81053)


async def test_the_sdk_sees_the_conflict_code(sdk: AsyncCloudflare, api: httpx.AsyncClient) -> None:
    await create(api, "A", "app", "203.0.113.7")
    with pytest.raises(BadRequestError) as caught:
        await sdk.dns.records.create(zone_id=ZONE_ID, type="CNAME", name="app", content="x.pages.dev", ttl=1)
    assert [error.code for error in caught.value.errors] == [81053]


async def test_an_address_does_not_join_a_cname(api: httpx.AsyncClient) -> None:
    await create(api, "CNAME", "app", "x.pages.dev")
    assert refusal(await api.post(RECORDS, json={"type": "A", "name": "app", "content": "203.0.113.7"})) == (400, 81054)


async def test_text_may_stand_beside_a_cname_and_addresses_beside_each_other(api: httpx.AsyncClient) -> None:
    await create(api, "CNAME", "app", "x.pages.dev")
    await create(api, "TXT", "app", "hello")
    await create(api, "A", "api", "203.0.113.7")
    await create(api, "A", "api", "203.0.113.8")
    await create(api, "AAAA", "api", "2001:db8::1")
    assert len(result(await api.get(RECORDS))) == 5


async def test_an_identical_record_is_refused(api: httpx.AsyncClient) -> None:
    made = await create(api, "A", "api", "203.0.113.7")
    body = {"type": "A", "name": f"API.{ZONE}", "content": "203.0.113.7"}
    assert refusal(await api.post(RECORDS, json=body)) == (400, 81058)
    assert result(await api.put(f"{RECORDS}/{made['id']}", json=body))["id"] == made["id"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["app", "api", "api"]),
        ({"name": f"api.{ZONE}"}, ["api", "api"]),
        ({"name.exact": f"API.{ZONE}"}, ["api", "api"]),
        ({"name": "api"}, []),
        ({"name.startswith": "ap", "type": "TXT"}, ["api"]),
        ({"content.contains": "pages.dev"}, ["app"]),
        ({"proxied": "true"}, ["app"]),
        ({"proxied": "false", "type": "A"}, ["api"]),
        ({"type": "TXT", "content.endswith": "pages.dev", "match": "any"}, ["app", "api"]),
        ({"order": "content", "direction": "desc"}, ["app", "api", "api"]),
        ({"order": "type"}, ["api", "app", "api"]),
    ],
)
async def test_records_are_filtered_and_ordered(
    api: httpx.AsyncClient, query: dict[str, str], names: list[str]
) -> None:
    await create(api, "CNAME", "app", "x.pages.dev", proxied=True)
    await create(api, "A", "api", "203.0.113.7")
    await create(api, "TXT", "api", "hello")
    listed = result(await api.get(RECORDS, params=query))
    assert [record["name"].removesuffix(f".{ZONE}") for record in listed] == names


async def test_a_filter_that_is_not_implemented_is_501(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get(RECORDS, params={"search": "app"}))[0] == 501


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_missing_record_is_refused(api: httpx.AsyncClient, method: str) -> None:
    assert refusal(await api.request(method, f"{RECORDS}/none", json={})) == (404, 81044)


async def test_records_of_an_unknown_zone_are_not_routed(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get("/zones/none/dns_records")) == (404, 7003)
    assert refusal(await api.post("/zones/none/dns_records", json={"type": "A"})) == (404, 7003)

import httpx
from cloudflare import AsyncCloudflare

from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.support import ACCOUNT, ZONE, ZONE_ID, refusal, result


async def test_the_sdk_finds_a_zone_by_name(sdk: AsyncCloudflare) -> None:
    (zone,) = [zone async for zone in sdk.zones.list(name=ZONE)]
    assert (zone.id, zone.status, zone.account.id) == (ZONE_ID, "active", ACCOUNT)
    assert [zone async for zone in sdk.zones.list(name="other.test")] == []


async def test_zones_are_filtered_by_account_and_status(api: httpx.AsyncClient) -> None:
    assert len(result(await api.get("/zones", params={"account.id": ACCOUNT, "status": "active"}))) == 1
    assert result(await api.get("/zones", params={"status": "pending"})) == []


async def test_a_zone_is_read_by_id(sdk: AsyncCloudflare) -> None:
    zone = await sdk.zones.get(zone_id=ZONE_ID)
    assert zone is not None
    assert zone.name == ZONE


async def test_an_unknown_zone_is_not_routed(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get("/zones/00000000000000000000000000000000")) == (404, 7003)


async def test_a_zone_keeps_its_creation_time_over_restarts(api: httpx.AsyncClient, cloudflare: Cloudflare) -> None:
    before = result(await api.get(f"/zones/{ZONE_ID}"))["created_on"]
    cloudflare.close()
    cloudflare.open()
    assert result(await api.get(f"/zones/{ZONE_ID}"))["created_on"] == before

"""What clients of Cloudflare's API see of each fault: its own SDK, the rehearsal's client, a direct upload."""

from collections.abc import Iterator
from pathlib import Path

import cloudflare as sdk
import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.faults import Faults
from infra.rehearsal.providers.cloudflare.client import Access, Client
from tests.infra.localcloud.cloudflare.fake_buckets import FakeBuckets
from tests.infra.localcloud.cloudflare.support import ACCOUNT, PROJECTS, SITE_PROJECT, TOKEN, ZONE, ZONE_ID, result
from tests.infra.localcloud.faults.serving import log, plan, rule, serving

LIST = f"GET /client/v4/accounts/{ACCOUNT}/pages/projects"
ADD = f"POST /client/v4/accounts/{ACCOUNT}/r2/buckets"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def server(tmp_path: Path, faults: Faults) -> Iterator[Cloudflare]:
    made = Cloudflare(
        state=tmp_path,
        buckets=FakeBuckets(),
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={ZONE: ZONE_ID},
        site_project=SITE_PROJECT,
        faults=faults,
    )
    with serving(made) as cloudflare:
        yield cloudflare


@pytest.fixture
def client(server: Cloudflare) -> sdk.Cloudflare:
    return sdk.Cloudflare(api_token=TOKEN, base_url=server.url, max_retries=0)


@pytest.mark.parametrize(
    ("fault", "error", "status", "code"),
    [
        ("too_many", sdk.RateLimitError, 429, 971),
        ("server_error", sdk.InternalServerError, 500, 8000000),
        ("expired_token", sdk.AuthenticationError, 401, 10000),
    ],
)
def test_the_sdk_reads_the_refusal(
    client: sdk.Cloudflare, faults: Faults, fault: str, error: type[sdk.APIStatusError], status: int, code: int
) -> None:
    faults.use(plan(rule("cloudflare", LIST, fault, nth=2, retry_after_s=4)))
    client.pages.projects.list(account_id=ACCOUNT)
    with pytest.raises(error) as refused:
        client.pages.projects.list(account_id=ACCOUNT)
    document = refused.value.response.json()
    assert (document["success"], document["errors"][0]["code"]) == (False, code)
    assert refused.value.response.headers.get("retry-after") == ("4" if status == 429 else None)
    client.pages.projects.list(account_id=ACCOUNT)
    assert log(faults) == [(LIST, "", 200), (LIST, fault, status), (LIST, "", 200)]


def test_an_internal_error_of_another_product_has_its_own_code(client: sdk.Cloudflare, faults: Faults) -> None:
    faults.use(plan(rule("cloudflare", "GET */r2/buckets", "server_error", status=503)))
    with pytest.raises(sdk.InternalServerError) as refused:
        client.r2.buckets.list(account_id=ACCOUNT)
    assert refused.value.status_code == 503
    assert refused.value.response.json()["errors"][0]["code"] == 10001


@pytest.mark.parametrize(("fault", "made"), [("lost_request", []), ("lost_response", ["users"])])
def test_a_lost_call_is_a_broken_connection_to_the_sdk(
    client: sdk.Cloudflare, faults: Faults, fault: str, made: list[str]
) -> None:
    faults.use(plan(rule("cloudflare", ADD, fault, nth=1)))
    with pytest.raises(sdk.APIConnectionError):
        client.r2.buckets.create(account_id=ACCOUNT, name="users")
    found = client.r2.buckets.list(account_id=ACCOUNT).buckets or []
    assert [bucket.name for bucket in found] == made
    assert log(faults)[0] == (ADD, fault, 0)


@pytest.mark.parametrize("fault", ["too_many", "server_error", "lost_request"])
def test_the_rehearsal_goes_on_after_one_fault(server: Cloudflare, faults: Faults, fault: str) -> None:
    faults.use(plan(rule("cloudflare", "*", fault, nth=1, retry_after_s=0)))
    listed = Client().send(Access(server.url, TOKEN), "GET", f"accounts/{ACCOUNT}/pages/projects")
    assert listed == []
    assert [call.fault for call in faults.calls] == [fault, ""]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("too_many", 429, 971), ("server_error", 500, 8000000), ("expired_token", 401, 8000013)],
)
def test_an_upload_of_assets_has_a_service_and_a_token_of_its_own(
    server: Cloudflare, faults: Faults, fault: str, status: int, code: int
) -> None:
    faults.use(plan(rule("pages", "POST *", fault, nth=1)))
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60) as api:
        result(api.post(PROJECTS, json={"name": SITE_PROJECT, "production_branch": "main"}))
        token = result(api.get(f"{PROJECTS}/{SITE_PROJECT}/upload-token"))["jwt"]
        refused, answered = (
            api.post("/pages/assets/check-missing", json={"hashes": []}, headers={"authorization": f"Bearer {token}"})
            for _ in range(2)
        )
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (status, code)
    assert answered.status_code == 200

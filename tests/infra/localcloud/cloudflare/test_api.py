import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.cloudflare.calls import Call
from tests.infra.localcloud.cloudflare.support import ACCOUNT, PROJECTS, create_project, refusal


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/zones/abc/settings/ssl"),
        ("POST", f"/accounts/{ACCOUNT}/workers/scripts"),
        ("PUT", f"/accounts/{ACCOUNT}/r2/buckets"),
        ("DELETE", f"/accounts/{ACCOUNT}/r2/buckets/some/lifecycle"),
    ],
)
async def test_a_call_that_is_not_implemented_is_501_and_named(api: httpx.AsyncClient, method: str, path: str) -> None:
    response = await api.request(method, path)
    assert refusal(response)[0] == 501
    assert f"{method} /client/v4{path}" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"text"'])
async def test_a_body_that_is_no_json_object_is_refused(api: httpx.AsyncClient, body: bytes) -> None:
    assert refusal(await api.post(PROJECTS, content=body)) == (400, 6007)


async def test_a_list_is_paged_and_ends_with_an_empty_page(api: httpx.AsyncClient) -> None:
    for name in ("one", "two", "three"):
        await create_project(api, name)
    pages = [(await api.get(PROJECTS, params={"per_page": 2, "page": number})).json() for number in (1, 2, 3)]
    assert [[project["name"] for project in page["result"]] for page in pages] == [["one", "two"], ["three"], []]
    assert pages[1]["result_info"] == {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2}


@pytest.mark.parametrize("query", [{"page": "0"}, {"per_page": "-1"}, {"per_page": "many"}, {"per_page": "5001"}])
async def test_an_impossible_page_is_refused(api: httpx.AsyncClient, query: dict[str, str]) -> None:
    assert refusal(await api.get(PROJECTS, params=query)) == (400, 6002)


async def test_calls_are_recorded_with_their_status(cloudflare: Cloudflare, api: httpx.AsyncClient) -> None:
    await api.get("/accounts")
    await api.get(f"{PROJECTS}/none")
    assert cloudflare.calls == [
        Call("GET", "/client/v4/accounts", 200),
        Call("GET", f"/client/v4{PROJECTS}/none", 404),
    ]

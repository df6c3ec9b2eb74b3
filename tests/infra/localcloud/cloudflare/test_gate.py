import httpx
import pytest
from cloudflare import AsyncCloudflare, AuthenticationError

from infra.localcloud.cloudflare import Cloudflare
from tests.infra.localcloud.cloudflare.support import ACCOUNT, TOKEN, create_project, refusal, result


async def test_a_call_without_a_token_is_refused(stranger: httpx.AsyncClient) -> None:
    assert refusal(await stranger.get("/accounts")) == (400, 9106)


@pytest.mark.parametrize("header", ["Basic eDp5", TOKEN, "Bearer"])
async def test_a_malformed_authorization_header_is_refused_with_its_cause(
    stranger: httpx.AsyncClient, header: str
) -> None:
    response = await stranger.get("/accounts", headers={"authorization": header})
    assert refusal(response) == (400, 6003)
    assert response.json()["errors"][0]["error_chain"][0]["code"] == 6111


async def test_an_unknown_token_is_refused_and_never_repeated(stranger: httpx.AsyncClient) -> None:
    response = await stranger.get("/accounts", headers={"authorization": "Bearer guessed-token"})
    assert refusal(response) == (401, 10000)
    assert "guessed-token" not in response.text


async def test_verifying_an_unknown_token_says_it_is_invalid(
    cloudflare: Cloudflare, stranger: httpx.AsyncClient
) -> None:
    client = AsyncCloudflare(api_token="wrong", base_url=cloudflare.url, max_retries=0, http_client=stranger)
    with pytest.raises(AuthenticationError) as caught:
        await client.user.tokens.verify()
    assert [error.code for error in caught.value.errors] == [1000]


async def test_another_account_is_refused(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get("/accounts/ffffffffffffffffffffffffffffffff/r2/buckets")) == (403, 10000)


async def test_asset_paths_take_upload_tokens_and_no_api_tokens(api: httpx.AsyncClient) -> None:
    response = await api.post("/pages/assets/check-missing", json={"hashes": []})
    assert refusal(response) == (401, 8000013)


async def test_an_upload_token_opens_asset_paths_only(api: httpx.AsyncClient) -> None:
    await create_project(api, "one")
    token = result(await api.get(f"/accounts/{ACCOUNT}/pages/projects/one/upload-token"))["jwt"]
    headers = {"authorization": f"Bearer {token}"}
    assert result(await api.post("/pages/assets/check-missing", json={"hashes": []}, headers=headers)) == []
    assert refusal(await api.get("/accounts", headers=headers)) == (401, 10000)

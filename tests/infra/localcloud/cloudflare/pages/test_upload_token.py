import base64
import json
import time

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.cloudflare.pages import upload_token
from tests.infra.localcloud.cloudflare.support import ACCOUNT, PROJECTS, create_project, refusal, result

CHECK = "/pages/assets/check-missing"


async def upload_jwt(api: httpx.AsyncClient) -> str:
    await create_project(api, "app")
    return str(result(await api.get(f"{PROJECTS}/app/upload-token"))["jwt"])


async def use(api: httpx.AsyncClient, token: str) -> httpx.Response:
    return await api.post(CHECK, json={"hashes": []}, headers={"authorization": f"Bearer {token}"})


async def test_the_token_tells_wrangler_its_limits(api: httpx.AsyncClient) -> None:
    payload = (await upload_jwt(api)).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["account"] == ACCOUNT
    assert claims["max_file_count_allowed"] == 20_000
    assert claims["exp"] - claims["iat"] == 1_800


async def test_a_changed_token_is_refused(api: httpx.AsyncClient) -> None:
    head, _, signature = (await upload_jwt(api)).rpartition(".")
    other = "A" if signature[0] != "A" else "B"
    assert refusal(await use(api, f"{head}.{other}{signature[1:]}")) == (401, 8000013)
    assert refusal(await use(api, "a.b.c")) == (401, 8000013)
    assert refusal(await use(api, "none")) == (401, 8000013)


async def test_an_expired_token_is_refused(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await upload_jwt(api)
    assert result(await use(api, token)) == []
    later = time.time() + upload_token.LIFETIME_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert refusal(await use(api, token)) == (401, 8000013)


async def test_a_token_outlives_a_restart(api: httpx.AsyncClient, cloudflare: Cloudflare) -> None:
    token = await upload_jwt(api)
    cloudflare.close()
    cloudflare.open()
    assert result(await use(api, token)) == []


async def test_a_missing_project_has_no_token(api: httpx.AsyncClient) -> None:
    assert refusal(await api.get(f"{PROJECTS}/none/upload-token")) == (404, 8000007)

import base64
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.cloudflare.pages import assets
from tests.infra.localcloud.cloudflare.support import PROJECTS, asset_key, create_project, refusal, result

UPLOAD = "/pages/assets/upload"


@pytest.fixture
async def uploader(api: httpx.AsyncClient) -> httpx.AsyncClient:
    """The API's client with an upload token."""
    await create_project(api, "app")
    token = result(await api.get(f"{PROJECTS}/app/upload-token"))["jwt"]
    api.headers["authorization"] = f"Bearer {token}"
    return api


def file(content: str, **change: Any) -> dict[str, Any]:
    encoded = base64.b64encode(content.encode()).decode()
    fields = {"key": asset_key(content), "value": encoded, "metadata": {"contentType": "text/html"}, "base64": True}
    return fields | change


async def missing(uploader: httpx.AsyncClient, *contents: str) -> list[str]:
    hashes = [asset_key(content) for content in contents]
    found: list[str] = result(await uploader.post("/pages/assets/check-missing", json={"hashes": hashes}))
    return found


async def test_only_files_not_yet_uploaded_are_missing(uploader: httpx.AsyncClient) -> None:
    assert await missing(uploader, "one", "two") == [asset_key("one"), asset_key("two")]
    kept = result(await uploader.post(UPLOAD, json=[file("one")]))
    assert kept == {"successful_key_count": 1, "unsuccessful_keys": []}
    assert await missing(uploader, "one", "two") == [asset_key("two")]


async def test_content_lies_in_a_file_named_by_its_hash(uploader: httpx.AsyncClient, tmp_path: Path) -> None:
    await uploader.post(UPLOAD, json=[file("one")])
    key = asset_key("one")
    assert (tmp_path / "cloudflare" / "assets" / key[:2] / key).read_text() == "one"


async def test_uploaded_files_outlive_a_restart(uploader: httpx.AsyncClient, cloudflare: Cloudflare) -> None:
    await uploader.post(UPLOAD, json=[file("one")])
    cloudflare.close()
    cloudflare.open()
    assert await missing(uploader, "one") == []


async def test_known_hashes_are_touched(uploader: httpx.AsyncClient) -> None:
    hashes = {"hashes": [asset_key("one")]}
    assert result(await uploader.post("/pages/assets/upsert-hashes", json=hashes)) is None


@pytest.mark.parametrize(
    "broken",
    [
        file("x", key="../../escape"),
        file("x", key="ABCDEF" * 5),
        file("x", key=None),
        file("x", value="not base64!"),
        file("x", value=None),
        file("x", metadata=None),
        file("x", base64=False),
        "file",
    ],
)
async def test_a_broken_file_refuses_the_whole_batch(uploader: httpx.AsyncClient, broken: Any) -> None:
    response = await uploader.post(UPLOAD, json=[file("good"), broken])
    assert refusal(response) == (400, 8000014)
    assert await missing(uploader, "good") == [asset_key("good")]


@pytest.mark.parametrize("path", ["check-missing", "upsert-hashes"])
@pytest.mark.parametrize("hashes", [None, "all", ["../up"], [7]])
async def test_broken_hashes_are_refused(uploader: httpx.AsyncClient, path: str, hashes: object) -> None:
    assert refusal(await uploader.post(f"/pages/assets/{path}", json={"hashes": hashes})) == (400, 8000014)


async def test_a_batch_that_is_no_list_or_no_json_is_refused(uploader: httpx.AsyncClient) -> None:
    assert refusal(await uploader.post(UPLOAD, json={})) == (400, 8000014)
    assert refusal(await uploader.post(UPLOAD, content=b"[")) == (400, 6007)


async def test_a_file_over_the_limit_is_refused(uploader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert assets.MOST_BYTES == 25 * 1024 * 1024
    monkeypatch.setattr(assets, "MOST_BYTES", 3)
    assert result(await uploader.post(UPLOAD, json=[file("123")]))["successful_key_count"] == 1
    assert refusal(await uploader.post(UPLOAD, json=[file("1234")])) == (413, 8000014)

"""The stand-in together with the R2 stand-in behind its real `BucketControl`: what the API sets, the S3 side obeys."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.localcloud.cloudflare import Cloudflare
from infra.localcloud.cloudflare.permission_groups import ITEM_WRITE
from infra.localcloud.r2 import R2
from tests.infra.localcloud.cloudflare.support import ACCOUNT, SITE_PROJECT, TOKEN, refusal, result

BUCKETS = f"/accounts/{ACCOUNT}/r2/buckets"
TOKENS = f"/accounts/{ACCOUNT}/tokens"
ORIGIN = "http://localhost:5173"


@pytest.fixture
async def r2(tmp_path: Path) -> AsyncIterator[R2]:
    server = R2(state=tmp_path / "r2")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def cloudflare(r2: R2, tmp_path: Path) -> Iterator[Cloudflare]:
    opened = Cloudflare(
        state=tmp_path / "cloudflare",
        buckets=r2.control,
        account_id=ACCOUNT,
        tokens=frozenset({TOKEN}),
        zones={},
        site_project=SITE_PROJECT,
    )
    opened.open()
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
async def bucket(api: httpx.AsyncClient) -> None:
    result(await api.post(BUCKETS, json={"name": "users", "locationHint": "weur"}))


async def test_a_new_bucket_aborts_uploads_after_seven_days(api: httpx.AsyncClient) -> None:
    (rule,) = result(await api.get(f"{BUCKETS}/users/lifecycle"))["rules"]
    assert rule["id"] == "Default Multipart Abort Rule"
    assert rule["abortMultipartUploadsTransition"]["condition"] == {"type": "Age", "maxAge": 604_800}


async def test_a_tokens_id_and_hash_sign_s3_calls_until_it_is_deleted(api: httpx.AsyncClient, r2: R2) -> None:
    resources = {f"com.cloudflare.edge.r2.bucket.{ACCOUNT}_default_users": "*"}
    policy = {"effect": "allow", "permission_groups": [{"id": ITEM_WRITE}], "resources": resources}
    token = result(await api.post(TOKENS, json={"name": "users", "policies": [policy]}))
    s3 = boto3.client(
        "s3",
        endpoint_url=r2.url,
        region_name="auto",
        aws_access_key_id=token["id"],
        aws_secret_access_key=hashlib.sha256(token["value"].encode()).hexdigest(),
        config=Config(
            s3={"addressing_style": "path"},
            retries={"max_attempts": 0},
            request_checksum_calculation="when_required",
        ),
    )

    async def call(method: Callable[..., Any], **arguments: Any) -> Any:
        return await asyncio.to_thread(method, Bucket="users", Key="a", **arguments)

    await call(s3.put_object, Body=b"x")
    assert refusal(await api.delete(f"{BUCKETS}/users")) == (409, 10008)
    await call(s3.delete_object)
    result(await api.delete(f"{TOKENS}/{token['id']}"))
    with pytest.raises(ClientError, match="Unauthorized"):
        await call(s3.put_object, Body=b"x")
    result(await api.delete(f"{BUCKETS}/users"))


async def test_a_browser_obeys_the_rules_put_here(api: httpx.AsyncClient, r2: R2) -> None:
    preflight = {"origin": ORIGIN, "access-control-request-method": "PUT"}
    async with httpx.AsyncClient(base_url=r2.url, trust_env=False, timeout=60) as browser:
        assert "access-control-allow-origin" not in (await browser.options("/users/a", headers=preflight)).headers
        rule = {"allowed": {"origins": [ORIGIN], "methods": ["PUT"], "headers": ["*"]}, "exposeHeaders": ["ETag"]}
        result(await api.put(f"{BUCKETS}/users/cors", json={"rules": [rule]}))
        allowed = await browser.options("/users/a", headers=preflight)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN

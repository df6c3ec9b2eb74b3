from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from pydantic import SecretStr

from app.settings import R2Settings
from app.storage.port import Storage
from app.storage.presign import SigV4Presigner, attachment
from tests.app.waiting import PATIENCE_S

SETTINGS = R2Settings("https://acct.r2.cloudflarestorage.com", "bucket", "AKID", SecretStr("s3cr3t"))
KEY = "staging/users/a/profiles/default/media/med (1) ü+&.mp4"


def botocore_url(operation: str, parameters: dict[str, Any]) -> str:
    client = boto3.client(
        "s3",
        endpoint_url=SETTINGS.endpoint,
        region_name="auto",
        aws_access_key_id="AKID",
        aws_secret_access_key="s3cr3t",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    named = {"Bucket": "bucket", "Key": KEY, **parameters}
    return client.generate_presigned_url(operation, Params=named, ExpiresIn=900)


@pytest.mark.parametrize(
    ("operation", "parameters", "ours"),
    [
        ("get_object", {}, lambda p: p.get(KEY, lifetime_s=900)),
        (
            "get_object",
            {"ResponseContentDisposition": attachment("Tor für A.mp4")},
            lambda p: p.get(KEY, lifetime_s=900, filename="Tor für A.mp4"),
        ),
        (
            "put_object",
            {"ContentType": "video/mp4"},
            lambda p: p.put(KEY, lifetime_s=900, content_type="video/mp4"),
        ),
        (
            "upload_part",
            {"UploadId": "up/+=1", "PartNumber": 7},
            lambda p: p.part(KEY, "up/+=1", 7, lifetime_s=900),
        ),
    ],
)
def test_signatures_are_those_of_botocore(
    operation: str, parameters: dict[str, Any], ours: Callable[[SigV4Presigner], Any]
) -> None:
    theirs = urlsplit(botocore_url(operation, parameters))
    query = parse_qs(theirs.query)
    moment = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signed = ours(SigV4Presigner(SETTINGS, clock=lambda: moment))
    mine = urlsplit(signed.url)
    assert (mine.scheme, mine.netloc, mine.path) == (theirs.scheme, theirs.netloc, theirs.path)
    assert parse_qs(mine.query) == query
    assert (signed.expires_at - moment).total_seconds() == 900


@pytest.mark.parametrize("lifetime_s", [0, 604801])
def test_lifetimes_that_r2_refuses_are_refused(lifetime_s: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        SigV4Presigner(SETTINGS).get(KEY, lifetime_s=lifetime_s)


def test_a_file_name_cannot_break_out_of_its_header() -> None:
    header = attachment('a"b\\c\r\nSet-Cookie: x; ü.mp4')
    assert header.startswith('attachment; filename="a_b_c__Set-Cookie: x; _.mp4"; ')
    assert "\r" not in header
    assert header.endswith("%C3%BC.mp4")


async def test_a_signed_upload_takes_its_content_type_and_no_other(storage: Storage) -> None:
    url = storage.presign.put(KEY, lifetime_s=60, content_type="video/mp4").url
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        refused = await http.put(url, content=b"x", headers={"content-type": "text/html"})
        assert refused.status_code == 403
        assert (await http.put(url, content=b"video", headers={"content-type": "video/mp4"})).status_code == 200
        assert (await http.get(url)).status_code == 403
    info = await storage.objects.head(KEY)
    assert info is not None
    assert info.size_bytes == 5


async def test_a_signed_download_saves_under_its_name_and_serves_ranges(storage: Storage) -> None:
    await storage.objects.create(KEY, b"0123456789")
    url = storage.presign.get(KEY, lifetime_s=60, filename="Goal.mp4").url
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        response = await http.get(url, headers={"range": "bytes=2-4"})
        other = await http.get(url.replace("med%20", "med%21"))
    assert (response.status_code, response.content) == (206, b"234")
    assert 'filename="Goal.mp4"' in response.headers["content-disposition"]
    assert other.status_code == 403

"""Raw signed requests, made by botocore, for tests that send what no client would."""

from collections.abc import Mapping
from html import unescape
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.infra.localcloud.r2.running import Account

# One client for plain HTTP, as making one costs more than a request; it keeps no connection open.
http = httpx.Client(verify=False, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


def url_of(account: Account, key: str = "", query: Mapping[str, str] | None = None) -> str:
    path = f"{account.url}/{account.bucket}" + (f"/{quote(key)}" if key else "")
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def signed(
    account: Account,
    method: str,
    key: str = "",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    region: str = "auto",
) -> httpx.Request:
    """A request signed in its headers; its parts can be changed before it is sent."""
    request = AWSRequest(method=method, url=url_of(account, key, query), data=body, headers=dict(headers or {}))
    S3SigV4Auth(_credentials(account), "s3", region).add_auth(request)
    return httpx.Request(method, str(request.url), headers=dict(request.headers.items()), content=body)


def presigned(
    account: Account,
    method: str,
    key: str = "",
    *,
    expires: int = 60,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """The URL; `headers` are signed too and must be sent with it."""
    request = AWSRequest(method=method, url=url_of(account, key, query), headers=dict(headers or {}))
    S3SigV4QueryAuth(_credentials(account), "s3", "auto", expires=expires).add_auth(request)
    return str(request.url)


def send(request: httpx.Request) -> httpx.Response:
    return http.send(request)


def code_of(response: httpx.Response) -> str:
    """S3's error code, or "" when the answer is no error document."""
    return response.text.partition("<Code>")[2].partition("</Code>")[0]


def message_of(response: httpx.Response) -> str:
    return unescape(response.text.partition("<Message>")[2].partition("</Message>")[0])


def _credentials(account: Account) -> Credentials:
    return Credentials(account.access_key_id, account.secret)

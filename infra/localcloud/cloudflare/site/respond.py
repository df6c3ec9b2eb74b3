"""One request to a deployed site, answered as Pages does: redirects, files, validators, then `_headers`.

Not here: compression, ranges (a range request gets the whole file), early hints and files of earlier deployments.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from infra.localcloud.cloudflare.envelope import Json
from infra.localcloud.cloudflare.site.headers import HeaderRules, parse_headers
from infra.localcloud.cloudflare.site.locate import File, Moved, locate
from infra.localcloud.cloudflare.site.redirects import REWRITE, Redirect, Redirects, parse_redirects

REVALIDATE = "public, max-age=0, must-revalidate"
_LEADING_SLASHES = re.compile(r"^(?:/|%2F|%5C|%09|\s|\\)+", re.IGNORECASE)


@dataclass(frozen=True)
class Deployed:
    """A deployment ready to serve: its files (path to asset hash) and compiled rules."""

    files: Mapping[str, str]
    headers: HeaderRules
    redirects: Redirects

    @classmethod
    def of(cls, deployment: Json) -> "Deployed":
        headers, redirects = parse_headers(deployment["headers"]), parse_redirects(deployment["redirects"])
        return cls(deployment["manifest"], headers, redirects)


@dataclass(frozen=True)
class SiteRequest:
    """`host` without port, `path` percent-encoded, `query` without '?', header names in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """The body is `text`, or the content of the asset with this hash."""

    status: int
    headers: dict[str, str]
    asset: str | None = None
    text: str = ""


def respond(deployed: Deployed, request: SiteRequest, content_type: Callable[[str], str]) -> Answer:
    """`content_type` gives the type of an asset by its hash."""
    answer = _answer(deployed, request, content_type)
    own = {"access-control-allow-origin": "*", "referrer-policy": "strict-origin-when-cross-origin"}
    if "content-type" in answer.headers:
        own["x-content-type-options"] = "nosniff"
    headers = deployed.headers.applied(answer.headers | own, request.host, request.path)
    if answer.status == 404:
        headers["cache-control"] = "no-store"
    return Answer(answer.status, headers, answer.asset, answer.text)


def _answer(deployed: Deployed, request: SiteRequest, content_type: Callable[[str], str]) -> Answer:
    path = request.path
    redirect = deployed.redirects.find(request.host, path)
    if redirect is not None and redirect.status != REWRITE:
        return _redirected(redirect, request)
    if redirect is not None:
        path = urlsplit(redirect.target).path
    if request.method not in ("GET", "HEAD"):
        return Answer(405, {})
    found = locate(deployed.files, unquote(path))
    if isinstance(found, Moved):
        return Answer(308, {"location": _with_query(quote(_LEADING_SLASHES.sub("/", found.path)), request.query)})
    if found is None:
        return Answer(404, {})
    return _served(found, deployed.files[found.path], request, content_type)


def _served(found: File, key: str, request: SiteRequest, content_type: Callable[[str], str]) -> Answer:
    kind = content_type(key)
    if kind.startswith("text/") and "charset" not in kind:
        kind += "; charset=utf-8"
    if found.status == 404:
        return Answer(404, {"content-type": kind}, key)
    etag = f'"{key}"'
    headers = {"etag": etag}
    if "authorization" not in request.headers and "range" not in request.headers:
        headers["cache-control"] = REVALIDATE
    if _is_preview(request.host):
        headers["x-robots-tag"] = "noindex"
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Answer(304, headers)
    return Answer(200, headers | {"content-type": kind}, key)


def _matches(if_none_match: str, etag: str) -> bool:
    """RFC 9110 8.8.3.2, weak comparison."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


def _redirected(redirect: Redirect, request: SiteRequest) -> Answer:
    target = urlsplit(redirect.target)
    query = target.query or request.query
    site = f"{target.scheme}://{target.netloc}" if target.netloc and target.hostname != request.host else ""
    location = _with_query(f"{site}{target.path or '/'}", query) + (f"#{target.fragment}" if target.fragment else "")
    text = "" if redirect.status == 308 else f"Redirecting to {location}"
    kind = {"content-type": "text/plain;charset=UTF-8"} if text else {}
    return Answer(redirect.status, {"location": location} | kind, text=text)


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _is_preview(host: str) -> bool:
    return host.endswith(".pages.dev") and host.count(".") > 2

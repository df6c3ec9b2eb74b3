"""Answers compared with those of `wrangler pages dev` (4.164.0), which runs Pages' own asset server on workerd.

`recorded.json` holds the sites, the requests and the real answers; ETags are replaced by "E" and hop headers left out.
Left out are four paths where that command reads a folder and Pages a manifest (rule files, `//`, a file and '/').
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from infra.localcloud.cloudflare.site.respond import Answer, Deployed, SiteRequest, respond

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("recorded.json").read_text())
CASES = [(site, index) for site, case in RECORDED.items() for index in range(len(case["requests"]))]
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "application/javascript",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


def content_type(key: str) -> str:
    return TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")


def deployed(case: dict[str, Any]) -> Deployed:
    manifest = {f"/{path}": path for path in case["files"]}
    return Deployed.of({"manifest": manifest, "headers": case["headers"], "redirects": case["redirects"]})


def ask(site: Deployed, path: str, host: str = "localhost", method: str = "GET", **headers: str) -> Answer:
    path, _, query = path.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return respond(site, SiteRequest(method, host, path, query, named), content_type)


def body_of(answer: Answer, case: dict[str, Any], method: str) -> str:
    content = answer.text if answer.asset is None else case["files"][answer.asset]
    return "" if method == "HEAD" else str(content)


@pytest.mark.parametrize(
    ("site", "index"),
    CASES,
    ids=[f"{site}: {(r := RECORDED[site]['requests'][index])['method']} {r['path']}" for site, index in CASES],
)
def test_an_answer_equals_the_recorded_one(site: str, index: int) -> None:
    case = RECORDED[site]
    request = case["requests"][index]
    answer = ask(deployed(case), request["path"], method=request["method"], **request["headers"])
    headers = answer.headers | ({"etag": "E"} if "etag" in answer.headers else {})
    assert answer.status == request["status"]
    assert headers == request["answer"]
    assert body_of(answer, case, request["method"]) == request["body"]


@pytest.fixture
def rich() -> Deployed:
    return deployed(RECORDED["rich"])


@pytest.mark.parametrize("tag", ['"about.html"', 'W/"about.html"', '"x", "about.html"', "*"])
def test_a_known_version_is_not_sent_again(rich: Deployed, tag: str) -> None:
    answer = ask(rich, "/about", if_none_match=tag)
    assert (answer.status, answer.asset) == (304, None)
    assert answer.headers["etag"] == '"about.html"'
    assert "content-type" not in answer.headers


def test_another_version_is_sent(rich: Deployed) -> None:
    assert ask(rich, "/about", if_none_match='"older"').status == 200


def test_previews_are_kept_out_of_search_engines(rich: Deployed) -> None:
    assert ask(rich, "/about", host="next.app.pages.dev").headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in ask(rich, "/about", host="app.pages.dev").headers


def test_a_redirect_to_the_same_host_stays_relative() -> None:
    site = Deployed.of({"manifest": {}, "headers": "", "redirects": "/x https://app.test/y?z=1 301\n"})
    assert ask(site, "/x", host="app.test").headers["location"] == "/y?z=1"
    assert ask(site, "/x", host="other.test").headers["location"] == "https://app.test/y?z=1"


def test_a_move_never_leaves_the_site() -> None:
    site = Deployed.of({"manifest": {"//evil.test/x.html": "x.html"}, "headers": "", "redirects": ""})
    assert ask(site, "//evil.test/x.html").headers["location"] == "/evil.test/x"

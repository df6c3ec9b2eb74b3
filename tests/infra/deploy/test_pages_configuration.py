"""What is written beside a built site: the page's configuration and the origins in its policy."""

import json
from pathlib import Path

import pytest

from infra.deploy.errors import DeployError
from infra.deploy.pages import packages
from infra.deploy.pages.configuration import configure
from infra.localcloud.cloudflare.site.headers import parse_headers

R2 = "https://account.r2.cloudflarestorage.com"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The `_headers` that the build copies from the sources."""
    (tmp_path / "_headers").write_text((packages.WEB / "public/_headers").read_text())
    return tmp_path


def headers_of(site: Path, path: str) -> dict[str, str]:
    """As Pages applies them."""
    rules = parse_headers((site / "_headers").read_text())
    assert rules.problems == []
    return rules.applied({"cache-control": "public, max-age=0, must-revalidate"}, "app.example.org", path)


def policy_of(site: Path) -> dict[str, list[str]]:
    directives = headers_of(site, "/")["content-security-policy"].split("; ")
    return {name: values for name, *values in map(str.split, directives)}


def test_the_page_may_reach_its_own_api_its_socket_and_the_bucket_and_nothing_else(site: Path) -> None:
    configure(site, "https://api.example.org", [R2])
    policy = policy_of(site)
    assert policy["connect-src"] == ["'self'", "https://api.example.org", "wss://api.example.org", R2]
    assert policy["media-src"] == ["'self'", "blob:", R2]
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert json.loads((site / "config.json").read_text()) == {"apiUrl": "https://api.example.org"}


def test_plain_http_has_a_plain_socket(site: Path) -> None:
    configure(site, "http://127.0.0.1:8000", ["http://127.0.0.1:9400", "http://127.0.0.1:9401"])
    reached = policy_of(site)["connect-src"][1:]
    origins = ["http://127.0.0.1:8000", "ws://127.0.0.1:8000", "http://127.0.0.1:9400", "http://127.0.0.1:9401"]
    assert reached == origins


def test_the_configuration_is_never_kept_and_assets_are_for_ever(site: Path) -> None:
    configure(site, "https://api.example.org", [R2])
    assert headers_of(site, "/config.json")["cache-control"] == "no-store"
    assert "immutable" in headers_of(site, "/assets/index-1.js")["cache-control"]
    assert headers_of(site, "/")["cache-control"] == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize("word", ["{{api}}", "{{storage}}"])
def test_a_policy_without_room_for_an_origin_is_refused(site: Path, word: str) -> None:
    headers = site / "_headers"
    headers.write_text(headers.read_text().replace(word, ""))
    with pytest.raises(DeployError, match=f"has no {word}"):
        configure(site, "https://api.example.org", [R2])


def test_a_word_that_nobody_fills_in_is_refused(site: Path) -> None:
    headers = site / "_headers"
    headers.write_text(headers.read_text().replace("img-src", "img-src {{images}}"))
    with pytest.raises(DeployError, match="nobody fills in"):
        configure(site, "https://api.example.org", [R2])


def test_a_policy_that_pages_would_leave_out_is_refused(site: Path) -> None:
    with pytest.raises(DeployError, match="longer than the 2000 characters"):
        configure(site, "https://api.example.org", [f"https://{number}.example.org" for number in range(50)])


def test_a_build_that_brings_a_configuration_is_refused(site: Path) -> None:
    (site / "config.json").write_text("{}")
    with pytest.raises(DeployError, match=r"config\.json of its own"):
        configure(site, "https://api.example.org", [R2])

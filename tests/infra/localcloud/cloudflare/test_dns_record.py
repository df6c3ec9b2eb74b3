from typing import Any

import pytest

from infra.localcloud.cloudflare.dns_record import full_name, valid_record
from infra.localcloud.cloudflare.envelope import CloudflareError

ZONE = "reelballers.test"


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("@", ZONE),
        (ZONE, ZONE),
        ("app", f"app.{ZONE}"),
        ("APP.ReelBallers.test.", f"app.{ZONE}"),
        ("_acme-challenge.api", f"_acme-challenge.api.{ZONE}"),
        ("*", f"*.{ZONE}"),
        ("notreelballers.test", f"notreelballers.test.{ZONE}"),
    ],
)
def test_a_name_is_completed_with_its_zone(given: str, full: str) -> None:
    assert full_name(given, ZONE) == full


@pytest.mark.parametrize("given", ["", None, "a b", "-a", "a..b", "x" * 64, 7])
def test_an_impossible_name_is_refused(given: object) -> None:
    with pytest.raises(CloudflareError) as caught:
        full_name(given, ZONE)
    assert caught.value.code == 9000


@pytest.mark.parametrize(
    ("kind", "content", "kept"),
    [
        ("A", "203.0.113.7", "203.0.113.7"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CNAME", "Reel-Ballers-App.pages.dev.", "reel-ballers-app.pages.dev"),
        ("TXT", '"v=spf1 -all"', '"v=spf1 -all"'),
        ("MX", "mail.example.test", "mail.example.test"),
    ],
)
def test_content_is_kept_in_normal_form(kind: str, content: str, kept: str) -> None:
    body: dict[str, Any] = {"type": kind, "name": "app", "content": content, "priority": 10}
    record = valid_record(body, ZONE)
    assert (record["content"], record["ttl"], record["proxied"]) == (kept, 1, False)
    assert record["proxiable"] is (kind in ("A", "AAAA", "CNAME"))
    assert ("priority" in record) is (kind == "MX")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": None, "content": "x"}, 9000),
        ({"type": "A", "content": "2001:db8::1"}, 9005),
        ({"type": "A", "content": "256.1.1.1"}, 9005),
        ({"type": "A"}, 9005),
        ({"type": "AAAA", "content": "1.2.3.4"}, 9006),
        ({"type": "CNAME", "content": "1.2.3.4"}, 9007),
        ({"type": "CNAME", "content": "https://a.test/"}, 9007),
        ({"type": "CNAME", "content": ""}, 9007),
        ({"type": "CNAME", "content": "app.reelballers.test"}, 9039),
        ({"type": "MX", "content": "not a host", "priority": 1}, 9009),
        ({"type": "MX", "content": "mail.test"}, 9100),
        ({"type": "TXT", "content": ""}, 9051),
        ({"type": "TXT", "content": "x", "proxied": True}, 9004),
        ({"type": "A", "content": "127.0.0.1", "proxied": True}, 9003),
        ({"type": "A", "content": "203.0.113.7", "ttl": 59}, 9021),
        ({"type": "A", "content": "203.0.113.7", "ttl": 86_401}, 9021),
        ({"type": "A", "content": "203.0.113.7", "ttl": "60"}, 9021),
    ],
)
def test_bad_content_is_refused(body: dict[str, Any], code: int) -> None:
    with pytest.raises(CloudflareError) as caught:
        valid_record({"name": "app", **body}, ZONE)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_a_proxied_record_has_an_automatic_ttl() -> None:
    record = valid_record({"type": "CNAME", "name": "@", "content": "x.pages.dev", "proxied": True, "ttl": 300}, ZONE)
    assert (record["proxied"], record["ttl"]) == (True, 1)


def test_a_type_that_is_not_implemented_is_named() -> None:
    with pytest.raises(CloudflareError, match="'SRV'") as caught:
        valid_record({"type": "SRV", "name": "app", "data": {}}, ZONE)
    assert caught.value.status == 501

"""An address is taken apart or refused, and a refusal never shows it."""

import pytest

from gpu.render.address import Address, parse_address
from gpu.render.errors import MediaFailure
from gpu.render.source import HttpSource
from tests.gpu.render.storage import SIGNATURE

LABEL = "a" * 63


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://h", Address(False, "h", 80, "/")),
        (
            "https://Acct.r2.example.com/b/k%20%C3%BC?sig=a%2Fb~",
            Address(True, "acct.r2.example.com", 443, "/b/k%20%C3%BC?sig=a%2Fb~"),
        ),
        ("http://127.0.0.1:9000/k", Address(False, "127.0.0.1", 9000, "/k")),
        ("http://[::1]:9000/k", Address(False, "::1", 9000, "/k")),
        ("http://under_score.example.com./k", Address(False, "under_score.example.com.", 80, "/k")),
        (f"http://{LABEL}.{LABEL}/k", Address(False, f"{LABEL}.{LABEL}", 80, "/k")),
    ],
)
def test_an_address_is_taken_apart(url: str, address: Address) -> None:
    assert parse_address(url, "source_unreachable") == address


@pytest.mark.parametrize(
    "url",
    [
        "http://h/\u00fc",
        "http://h/\u2028",
        "http://h/\ud800",
        "http://h/a b",
        "http://h/a\tb",
        "http://h/a\r\nHost: other",
        "http://h/\x7f",
        " http://h/",
        "http://h\u2028/",
        "http://m\u00fcller.example.com/",
        "http://a..b/",
        "http://.a/",
        f"http://{LABEL}a.example.com/",
        f"http://{'.'.join([LABEL] * 4)}/",
        "http://a%20b/",
        "http://a*b/",
        "http://[::1/",
        "http://[v1.a:b]/",
        "http://[1:2]/",
    ],
    ids=ascii,
)
def test_what_could_not_be_sent_is_refused_at_once(url: str) -> None:
    with pytest.raises(MediaFailure) as refused:
        HttpSource(f"{url}?{SIGNATURE}")
    assert refused.value.code == "source_unreachable"
    assert refused.value.message.startswith("the address ")
    assert SIGNATURE not in refused.value.message

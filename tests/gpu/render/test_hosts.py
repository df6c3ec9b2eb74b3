"""The list of storage hosts."""

import pytest

from gpu.render.errors import MediaFailure
from gpu.render.hosts import VARIABLE, check_host

R2 = "https://acct.r2.example.com/bucket/key?X-Amz-Signature=secret"


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("acct.r2.example.com", R2),
        ("other.example.com, ACCT.R2.example.com:443", R2),
        ("127.0.0.1:9400", "http://127.0.0.1:9400/bucket/key"),
    ],
)
def test_a_listed_host_is_allowed(monkeypatch: pytest.MonkeyPatch, listed: str, url: str) -> None:
    monkeypatch.setenv(VARIABLE, listed)
    check_host(url, "source_unreachable")


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("", R2),
        ("other.example.com", R2),
        ("acct.r2.example.com", "https://acct.r2.example.com:8443/key"),
        ("127.0.0.1:9400", "http://127.0.0.1:9401/key"),
        ("127.0.0.1", "http://127.0.0.1:9400/key"),
        ("acct.r2.example.com", "https://acct.r2.example.com@evil.example.com/key"),
        ("evil.example.com", "https://acct.r2.example.com@evil.example.com/key"),
        ("acct.r2.example.com", "ftp://acct.r2.example.com/key"),
        ("127.0.0.1:9400", "http://127.0.0.1:99999/key"),
    ],
)
def test_any_other_is_refused_without_the_url(monkeypatch: pytest.MonkeyPatch, listed: str, url: str) -> None:
    monkeypatch.setenv(VARIABLE, listed)
    with pytest.raises(MediaFailure) as refused:
        check_host(url, "output_refused")
    assert refused.value.code == "output_refused"
    assert "secret" not in refused.value.message


def test_without_a_list_every_host_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    check_host(R2, "source_unreachable")

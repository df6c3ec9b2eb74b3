import pytest

from infra.localcloud.cloudflare.site.patterns import PatternError, address, compile_pattern, substituted


@pytest.mark.parametrize(
    ("source", "host", "path", "values"),
    [
        ("/about", "a.test", "/about", {}),
        ("/about", "a.test", "/about/", None),
        ("/a.b", "a.test", "/axb", None),
        ("/docs/*", "a.test", "/docs/a/b", {"splat": "a/b"}),
        ("/docs/*", "a.test", "/docs/", {"splat": ""}),
        ("/docs/*", "a.test", "/docs", None),
        ("/u/:id/p/:post_2", "a.test", "/u/7/p/x.y", {"id": "7", "post_2": "x.y"}),
        ("/u/:id", "a.test", "/u/7/8", None),
        ("https://a.test/x", "a.test", "/x", {}),
        ("https://a.test/x", "b.test", "/x", None),
        ("https://:sub.a.test/*", "next.a.test", "/x", {"sub": "next", "splat": "x"}),
        ("https://:sub.a.test/*", "b.next.a.test", "/x", None),
        ("https://*.a.test/x", "b.next.a.test", "/x", {"splat": "b.next"}),
    ],
)
def test_a_pattern_matches_whole_paths(source: str, host: str, path: str, values: dict[str, str] | None) -> None:
    assert compile_pattern(source).match(host, path) == values


@pytest.mark.parametrize("source", ["/*/x/*", "/:a/:a", "/*/:splat"])
def test_ambiguous_patterns_are_refused(source: str) -> None:
    with pytest.raises(PatternError, match="use"):
        compile_pattern(source)


def test_values_are_put_in_by_name() -> None:
    assert substituted("/x/:splat?id=:id", {"splat": "a/b", "id": "7"}) == "/x/a/b?id=7"


@pytest.mark.parametrize(
    ("token", "options", "normal"),
    [
        ("/a b", {}, "/a%20b"),
        ("/caf\u00e9", {}, "/caf%C3%A9"),
        ("/already%20there", {}, "/already%20there"),
        ("/x?y=1#z", {}, "/x"),
        ("/x?y=1#z", {"query": True}, "/x?y=1#z"),
        ("x", {"relative_only": True}, "/x"),
        ("https://a.test", {}, "https://a.test/"),
        ("https://a.test/x?y#z", {"query": True}, "https://a.test/x?y#z"),
        ("https://a.test:8443/x", {}, "https://a.test:8443/x"),
    ],
)
def test_addresses_are_brought_to_normal_form(token: str, options: dict[str, bool], normal: str) -> None:
    assert address(token, **options) == normal


@pytest.mark.parametrize(
    ("token", "options"),
    [
        ("x", {}),
        ("http://a.test/", {}),
        ("https://a.test/x", {"relative_only": True}),
        ("https://a.test:8443/x", {"ports": False}),
    ],
)
def test_other_addresses_are_refused(token: str, options: dict[str, bool]) -> None:
    with pytest.raises(PatternError):
        address(token, **options)

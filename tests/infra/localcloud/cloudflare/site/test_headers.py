import pytest

from infra.localcloud.cloudflare.site.headers import MOST_RULES, parse_headers

OWN = {"cache-control": "public, max-age=0, must-revalidate", "access-control-allow-origin": "*"}


def applied(text: str, path: str, host: str = "a.test") -> dict[str, str]:
    parsed = parse_headers(text)
    assert parsed.problems == []
    return parsed.applied(OWN, host, path)


def test_a_rule_replaces_what_pages_sets_itself() -> None:
    text = "/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n"
    assert applied(text, "/assets/app.js")["cache-control"] == "public, max-age=31536000, immutable"
    assert applied(text, "/index.html") == OWN


def test_a_header_is_removed() -> None:
    assert "access-control-allow-origin" not in applied("/*\n  ! Access-Control-Allow-Origin\n", "/x")


def test_matching_rules_add_up_in_order() -> None:
    text = "/*\n  X-A: one\n/x/*\n  X-A: two\n  X-B: :splat\n/y\n  X-A: three\n"
    assert applied(text, "/x/z") == {**OWN, "x-a": "one, two", "x-b": "z"}


def test_a_later_rule_may_remove_and_set_what_an_earlier_one_set() -> None:
    text = "/*\n  X-A: one\n  Cache-Control: no-store\n/x\n  ! X-A\n  ! Cache-Control\n  Cache-Control: private\n"
    assert applied(text, "/x") == {"access-control-allow-origin": "*", "cache-control": "private"}


def test_a_header_given_twice_in_a_rule_is_joined() -> None:
    text = "/*\n  Link: </a>; rel=preload\n  Link: </b>; rel=preload\n"
    assert applied(text, "/")["link"] == "</a>; rel=preload, </b>; rel=preload"


def test_a_rule_with_a_host_counts_on_that_host_only() -> None:
    text = "https://:project.pages.dev/*\n  X-Robots-Tag: noindex\n"
    assert applied(text, "/", "app.pages.dev")["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in applied(text, "/", "app.reelballers.test")


def test_comments_and_empty_lines_do_not_count() -> None:
    assert applied("# why\n\n/*\n  # inside\n  X-A: 1\n\n", "/")["x-a"] == "1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("X-A: 1\n/*\n  X-B: 2\n", "line 1: 'X-A: 1' stands before any path"),
        ("/*/a/*\n  X-A: 1\n/*\n  X-B: 2\n", "line 1: /*/a/* has 2 wildcards"),
        ("http://a.test/\n  X-A: 1\n/*\n  X-B: 2\n", "line 1: http://a.test/ should begin with"),
        ("https://a.test:1/\n  X-A: 1\n/*\n  X-B: 2\n", "line 1: https://a.test:1/ names a port"),
        ("/*\n  X-B: 2\n  X A: 1\n", "line 3: 'X A: 1' is no 'Name: value'"),
        ("/*\n  X-B: 2\n  X-A:\n", "line 3: 'X-A:' is no 'Name: value'"),
        ("/*\n  X-B: 2\n  nothing\n", "line 3: 'nothing' is no 'Name: value' and no '! Name'"),
        ("/none\n/*\n  X-B: 2\n", "/none has no headers"),
        ("/*\n  X-B: 2\n  X-A: " + "x" * 2_000 + "\n", "line 3: has 2005 characters"),
    ],
)
def test_a_broken_line_is_reported_and_the_rest_counts(text: str, problem: str) -> None:
    parsed = parse_headers(text)
    assert len(parsed.problems) == 1
    assert parsed.problems[0].startswith(problem)
    assert parsed.applied({}, "a.test", "/") == {"x-b": "2"}


def test_rules_over_the_limit_are_left_out() -> None:
    parsed = parse_headers("".join(f"/{number}\n  X-A: 1\n" for number in range(MOST_RULES + 5)))
    assert len(parsed.rules) == MOST_RULES
    assert parsed.problems == [f"line {2 * MOST_RULES + 1}: more than {MOST_RULES} rules; the rest is left out"]

import pytest

from infra.localcloud.cloudflare.site.redirects import MOST_DYNAMIC_RULES, Redirect, parse_redirects


def found(text: str, path: str) -> Redirect | None:
    parsed = parse_redirects(text)
    assert parsed.problems == []
    return parsed.find("a.test", path)


@pytest.mark.parametrize(
    ("rule", "path", "redirect"),
    [
        ("/old /new", "/old", Redirect("/new", 302)),
        ("/old /new 301", "/old", Redirect("/new", 301)),
        ("/old /new 301 # moved in May", "/old", Redirect("/new", 301)),
        ("/old /new#part", "/old", Redirect("/new#part", 302)),
        ("/old https://b.test/x 308", "/old", Redirect("https://b.test/x", 308)),
        ("/old /new", "/old/", None),
        ("/blog/* /news/:splat 301", "/blog/a/b", Redirect("/news/a/b", 301)),
        ("/u/:id/p/:post /p/:post?u=:id", "/u/7/p/x", Redirect("/p/x?u=7", 302)),
        ("/app/* /shell 200", "/app/clips/7", Redirect("/shell", 200)),
        ("/go/* /:splat", "/go//evil.test", Redirect("/evil.test", 302)),
        ("/go/* https://b.test/:splat", "/go/x", Redirect("https://b.test/x", 302)),
    ],
)
def test_a_rule_gives_its_target(rule: str, path: str, redirect: Redirect | None) -> None:
    assert found(rule, path) == redirect


def test_static_rules_above_the_first_wildcard_come_first_and_the_others_in_order() -> None:
    text = "/a /static\n/* /any\n/b /too-late\n"
    assert found(text, "/a") == Redirect("/static", 302)
    assert found(text, "/b") == Redirect("/any", 302)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/one", "has 1 parts"),
        ("/a /b 301 more", "has 4 parts"),
        ("/a /b 404", "status 404 is not one of"),
        ("/a /b fast", "status fast is not one of"),
        ("/* /index.html 200", "would loop"),
        ("/ /index", "would loop"),
        ("https://a.test/x /b", "is absolute"),
        ("/a b", "should begin with"),
        ("/a https://b.test/ 200", "a 200 rewrite stays within the site"),
        ("/kept /again", "has a rule already"),
        ("/x/*/y/* /b", "has 2 wildcards"),
        ("/a /" + "b" * 2_000, "characters; the limit is 2000"),
    ],
)
def test_a_broken_line_is_reported_and_the_rest_counts(line: str, problem: str) -> None:
    parsed = parse_redirects(f"# first\n/kept /there\n{line}\n")
    assert len(parsed.problems) == 1
    assert parsed.problems[0].startswith("line 3: ")
    assert problem in parsed.problems[0]
    assert parsed.find("a.test", "/kept") == Redirect("/there", 302)
    assert len(parsed.static) == 1
    assert parsed.dynamic == []


def test_dynamic_rules_over_the_limit_are_left_out() -> None:
    parsed = parse_redirects("".join(f"/{number}/* /x\n" for number in range(MOST_DYNAMIC_RULES + 1)))
    assert len(parsed.dynamic) == MOST_DYNAMIC_RULES
    assert len(parsed.problems) == 1

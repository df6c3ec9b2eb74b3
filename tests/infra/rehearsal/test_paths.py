import pytest

from infra.rehearsal.paths import Path, PathError, contains, parse, render


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        ("triggers[*]", ("triggers", "*")),
        ("*", ("*",)),
        ('a["b.c"]', ("a", "b.c")),
        ('a["with \\" quote"][1]', ("a", 'with " quote', 1)),
    ],
)
def test_parse(text: str, path: Path) -> None:
    assert parse(text) == path


@pytest.mark.parametrize("text", ["a[", "a[x]", "a..b", 'a["b'])
def test_an_unreadable_path_is_shown(text: str) -> None:
    with pytest.raises(PathError, match="cannot read it from"):
        parse(text)


@pytest.mark.parametrize("path", [("a",), ("a", "b", 0), ("a", "b.c", "d-e"), ("environment", "X", 12)])
def test_what_is_rendered_parses_back(path: Path) -> None:
    assert parse(render(path)) == path


@pytest.mark.parametrize(
    ("pattern", "path", "does"),
    [
        ("a", "a", True),
        ("a", "a.b[0]", True),
        ("a.b", "a", False),
        ("a[*]", "a[3].c", True),
        ("a[*]", "a", False),
        ("*", "anything.at[0].all", True),
        ("a[0]", "a[1]", False),
    ],
)
def test_contains(pattern: str, path: str, does: bool) -> None:
    assert contains(parse(pattern), parse(path)) is does

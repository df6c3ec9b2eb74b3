import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.localcloud.cloudflare.site.locate import File, Moved, locate

FILES = {
    "/index.html",
    "/about.html",
    "/docs/index.html",
    "/docs/guide.html",
    "/docs/404.html",
    "/both",
    "/both.html",
    "/assets/app.js",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", File("/index.html")),
        ("/index.html", Moved("/")),
        ("/index", Moved("/")),
        ("/about", File("/about.html")),
        ("/about.html", Moved("/about")),
        ("/about/", Moved("/about")),
        ("/docs", Moved("/docs/")),
        ("/docs/", File("/docs/index.html")),
        ("/docs/index.html", Moved("/docs/")),
        ("/both", File("/both")),
        ("/both.html", File("/both.html")),
        ("/assets/app.js", File("/assets/app.js")),
        ("/docs/none/deeper", File("/docs/404.html", status=404)),
        ("/clips/7", File("/index.html")),
    ],
)
def test_a_path_means_a_file_or_its_address_without_extension(path: str, expected: File | Moved) -> None:
    assert locate(FILES, path) == expected


def test_without_a_page_to_show_there_is_nothing() -> None:
    assert locate({"/about.html"}, "/none") is None


def test_a_404_page_at_the_top_ends_the_single_page_fallback() -> None:
    assert locate({"/index.html", "/404.html"}, "/none") == File("/404.html", status=404)


names = st.sampled_from(["a", "b", "index", "404"])
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
file_sets = st.frozensets(st.tuples(paths, st.sampled_from([".html", ".js", ""])).map("".join), max_size=8)


@given(file_sets, paths, st.sampled_from(["", "/", ".html"]))
def test_moves_end_at_a_file_that_exists(files: frozenset[str], path: str, end: str) -> None:
    visited = [path + end]
    while isinstance(found := locate(files, visited[-1]), Moved):
        assert found.path not in visited
        visited.append(found.path)
    assert found is None or found.path in files

"""Graphviz in Node: the same text gives the same picture; what is wrong is said."""

import re
from pathlib import Path

import pytest

from infra.picture import layout
from infra.picture.dot import ROOM, dot
from infra.picture.graph import Box, Graph, Node
from infra.picture.layout import LayoutError, svg

NODE = Node("n", 'a <b> & "c"', "Kind", "detail", "fly", ("protected",))
DOT = dot(Graph([Box("box", "box", "What it <is> for.", (NODE,))]), "Title & more", [("key", "value"), ("", "more")])


def test_text_of_any_kind_is_drawn() -> None:
    drawn = svg(DOT, "Title & more")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    said = " ".join(texts).replace("&#45;", "-").replace("\u00a0", " ")
    for expected in (
        "a &lt;b&gt; &amp; &quot;c&quot;",
        "Kind",
        "protected",
        "What it &lt;is&gt; for.",
        "Title &amp; more",
    ):
        assert expected in said, texts


def test_the_picture_has_a_ground_a_name_and_nothing_of_the_tool() -> None:
    drawn = svg(DOT, "Title & more")
    assert drawn.startswith("<svg ")
    assert "background:#ffffff" in drawn.split(">", 1)[0]
    assert drawn.count("<title>") == 1
    assert "<title>Title &amp; more</title>" in drawn
    assert "Graphviz" not in drawn
    assert "<!--" not in drawn


def test_letters_are_smaller_than_the_room_for_them() -> None:
    drawn = svg(DOT, "x")
    [size] = re.findall(r'font-size="([\d.]+)"[^>]*>Kind<', drawn)
    [meant] = re.findall(r'POINT-SIZE="([\d.]+)"[^>]*>Kind<', DOT)
    assert float(size) == pytest.approx(float(meant) / ROOM, rel=0.05)  # Graphviz rounds it


def test_twice_is_the_same() -> None:
    assert svg(DOT, "x") == svg(DOT, "x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("digraph {", "syntax error"),
        ("digraph { a [label=<<FONT></FONT>>] }", "syntax error"),
        ("digraph { a [shape=x] }", "x"),
    ],
)
def test_what_graphviz_refuses_or_leaves_out_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(LayoutError, match=f"Error: .*{reason}"):
        svg(text, "x")


def test_a_missing_package_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"make setup.*@viz-js/viz"):
        svg(DOT, "x", tmp_path / "package.json")


def test_a_missing_node_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(layout, "NODE", tmp_path / "node")
    with pytest.raises(LayoutError, match="make setup"):
        svg(DOT, "x")

"""A graph as text in Graphviz's language. Colours tell the cloud; widths are chosen, so that it stays readable."""

import textwrap
from collections.abc import Iterable
from html import escape

from infra.picture.graph import Box, Graph, Node

FONT = "Helvetica"
INK, PALE, LINE = "#1f2933", "#52606d", "#9aa5b1"
BOX_BORDER, BOX_FILL = "#cbd2d9", "#fbfcfd"
BORDER = {"cloudflare": "#e8720c", "fly": "#7c3aed", "modal": "#2b8a3e", "": "#52606d"}
FILL = {"cloudflare": "#fff4e8", "fly": "#f4efff", "modal": "#ebf8ee", "": "#f5f7fa"}
LEGEND = {
    "\u2192": "leads to what is made after it; an arrow that others imply is not drawn",
    "command": "a step of infra/deploy, which probes, acts and verifies",
}
CLOUD_NAMES = {"cloudflare": "Cloudflare", "fly": "Fly.io", "modal": "Modal"}
WIDTH = 36  # characters of a line in a resource

# Graphviz reckons with the widths of Helvetica; where another font stands in, letters are wider. So it lays out text
# that is this much larger than what is drawn.
ROOM = 1.18


def dot(graph: Graph, title: str, facts: Iterable[tuple[str, str]]) -> str:
    """`facts` are (name, value) lines below the title."""
    lines = [
        "digraph stack {",
        f'  graph [rankdir=LR, compound=true, newrank=true, nodesep=0.22, ranksep=0.75, pad=0.35, fontname="{FONT}", '
        f'labelloc=t, labeljust=l, fontcolor="{INK}", label={_heading(title, facts)}]',
        f'  node [shape=plain, fontname="{FONT}", fontcolor="{INK}"]',
        f'  edge [color="{LINE}", penwidth=1.3, arrowsize=0.7]',
        *_foreign(graph.foreign),
        *(line for box in graph.boxes for line in _box(box)),
        *_arrows(graph),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _heading(title: str, facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<TR>{_cell(_text(name, 13, PALE))}{_cell(_text(value, 13))}</TR>" for name, value in facts)
    table = f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>'
    return (
        f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="6"><TR>{_cell(_text(title, 24, bold=True), span=3)}</TR>'
        f'<TR><TD ALIGN="LEFT" VALIGN="TOP">{table}</TD><TD ALIGN="LEFT" VALIGN="TOP" WIDTH="60"></TD>'
        f'<TD ALIGN="LEFT" VALIGN="TOP">{_legend()}</TD></TR></TABLE>>'
    )


def _legend() -> str:
    clouds = "".join(
        f'<TR><TD ALIGN="LEFT"><TABLE BORDER="1" CELLBORDER="0" STYLE="ROUNDED" COLOR="{BORDER[key]}" '
        f'BGCOLOR="{FILL[key]}" FIXEDSIZE="TRUE" WIDTH="42" HEIGHT="20"><TR><TD></TD></TR></TABLE></TD>'
        f"{_cell(_text(f'is at {name}', 12))}</TR>"
        for key, name in CLOUD_NAMES.items()
    )
    words = "".join(
        f"<TR>{_cell(_text(sign, 12, PALE))}{_cell(_text(meaning, 12))}</TR>" for sign, meaning in LEGEND.items()
    )
    return f'<TABLE BORDER="0" CELLSPACING="4" CELLPADDING="2">{clouds}{words}</TABLE>'


def _box(box: Box) -> list[str]:
    about = "<BR/>".join(escape(line) for line in textwrap.wrap(box.about, WIDTH + 12))
    label = (
        f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>{_cell(_text(box.title, 17, bold=True))}</TR>'
        f'<TR><TD ALIGN="LEFT" BALIGN="LEFT">{_font(about, 11, PALE)}</TD></TR></TABLE>>'
    )
    return [
        f"  subgraph {_id(f'cluster_{box.key}')} {{",
        f'    graph [label={label}, style="rounded,filled", color="{BOX_BORDER}", fillcolor="{BOX_FILL}", margin=16]',
        *(f"    {_id(node.key)} [label={_label(node)}]" for node in box.nodes),
        "  }",
    ]


def _foreign(nodes: list[Node]) -> list[str]:
    if not nodes:
        return []
    label = (
        f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>{_cell(_text("looked up", 17, bold=True))}</TR>'
        f"<TR>{_cell(_text('Another stack owns it.', 11, PALE))}</TR></TABLE>>"
    )
    return [
        '  subgraph "cluster found elsewhere" {',
        f'    graph [label={label}, style="rounded,dashed", color="{LINE}", margin=16]',
        *(f"    {_id(node.key)} [label={_label(node)}]" for node in nodes),
        "  }",
    ]


def _label(node: Node) -> str:
    lines = [line for part in node.detail.splitlines() for line in textwrap.wrap(part, WIDTH, break_on_hyphens=False)]
    rows = [
        _text(node.title, 14, bold=True),
        _text(node.kind, 11, BORDER[node.cloud]),
        *(_text(line, 11) for line in lines),
        *(_text(f"\u2022 {mark}", 10, PALE) for mark in node.marks),
    ]
    style = "ROUNDED,DASHED" if node.foreign else "ROUNDED"
    body = "".join(f"<TR>{_cell(row)}</TR>" for row in rows)
    return (
        f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" STYLE="{style}" '
        f'COLOR="{BORDER[node.cloud]}" BGCOLOR="{FILL[node.cloud]}">{body}</TABLE>>'
    )


def _arrows(graph: Graph) -> list[str]:
    first = {box.key: box.nodes[0].key for box in graph.boxes if box.nodes}
    lines = []
    for arrow in graph.arrows:
        if arrow.to_box:
            head = f"[lhead={_id(f'cluster_{arrow.target}')}]"
            lines.append(f"  {_id(arrow.source)} -> {_id(first[arrow.target])} {head}")
        else:
            lines.append(f"  {_id(arrow.source)} -> {_id(arrow.target)}")
    return lines


def _cell(content: str, span: int = 1) -> str:
    return f'<TD ALIGN="LEFT" COLSPAN="{span}">{content}</TD>'


def _text(text: str, size: int, colour: str = INK, *, bold: bool = False) -> str:
    plain = escape(text) or "&#160;"  # Graphviz reads no empty text
    return _font(f"<B>{plain}</B>" if bold else plain, size, colour)


def _font(content: str, size: int, colour: str) -> str:
    return f'<FONT POINT-SIZE="{size * ROOM:.1f}" COLOR="{colour}">{content}</FONT>'


def _id(name: str) -> str:
    return '"' + name.replace('"', "'") + '"'

"""Rows as aligned text; numbers stand on the right."""

from collections.abc import Iterator, Sequence

Cell = str | int
_GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """A line for the head and for each row. What comes from records cannot move the cursor of a terminal."""
    texts = [[_text(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    on_the_right = [all(isinstance(row[i], int) or row[i] == "-" for row in rows) for i in range(len(head))]
    for row in texts:
        cells = zip(row, widths, on_the_right, strict=True)
        yield _GAP.join(text.rjust(width) if right else text.ljust(width) for text, width, right in cells).rstrip()


def _text(cell: Cell) -> str:
    text = f"{cell:,}" if isinstance(cell, int) else cell
    return "".join(letter if letter.isprintable() else "?" for letter in text)

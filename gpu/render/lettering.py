"""Lines of text as coverage (0 none, 255 full), from the fonts inside OpenCV 5: Rubik (OFL), else WenQuanYi Micro Hei.

Each character is rasterised alone, so widths add up and the place of a line break changes no letter. Nothing is kerned
or joined. What the fonts lack is drawn as its plain form (`readable`) or as an empty box, never left out. Only text
that went through `cleaned` may come here: a lone surrogate ends the process inside OpenCV.
"""

import math
import re
import unicodedata
from typing import NamedTuple

import cv2
import numpy as np

from gpu.render.bidi import is_right_to_left, visual_order
from gpu.render.picture import Plane

ELLIPSIS = "…"
MISSING = "\uffff"
"""Drawn as an empty box; a noncharacter, so no text means anything else by it."""

CAP_HEIGHT = 0.7
"""Height of Rubik's capitals in parts of the font's size."""

_OVERSAMPLING = 4
_ASCENT, _DESCENT, _BEARING = 1.25, 0.5, 0.5
_BOX_WIDTH, _BOX_SPACE, _BOX_STROKE = 0.56, 0.1, 0.07
_DROPPED = {"Cc", "Cf", "Mn", "Me"}
_BREAKS = re.compile(r"[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")


class Line(NamedTuple):
    """A line as it stands from left to right; `right_to_left` is the direction in which its paragraph is read."""

    text: str
    right_to_left: bool


class _Glyph(NamedTuple):
    """A character's coverage, its place from the pen on the base line and the way to the next pen, all oversampled."""

    coverage: Plane
    left: int
    top: int
    advance: int


class Lettering:
    """Text of one size (pixels) and weight (400 regular to 900); belongs to the thread that made it."""

    def __init__(self, size: int, weight: int) -> None:
        self._size = size
        self._scaled = size * _OVERSAMPLING
        self._weight = weight
        self._font = cv2.FontFace("sans")
        self._lacking = self._raster(MISSING)[0]
        self._glyphs = {MISSING: self._box()}
        self.ascent = math.ceil(_ASCENT * size)
        self.bearing = math.ceil(_BEARING * size)
        """Rows of a coverage above the base line, and its columns left of the pen's first place."""

    def readable(self, text: str) -> str:
        """`text` in characters that can be drawn.

        For one that cannot: its compatibility decomposition (UAX 15) without marks if that can be, else MISSING.
        """
        return "".join(char if self._has(char) else self._plain(char) for char in text)

    def width(self, text: str) -> int:
        """Pixels from the first pen to the last, rounded up."""
        return math.ceil(sum(self._glyph(char).advance for char in text) / _OVERSAMPLING)

    def coverage(self, text: str) -> Plane:
        """`text`, already in visual order, with room for what reaches over its own width; see `ascent`, `bearing`."""
        height = self.ascent + math.ceil(_DESCENT * self._size)
        width = self.width(text) + 2 * self.bearing
        line = np.zeros((height * _OVERSAMPLING, width * _OVERSAMPLING), np.uint8)
        pen, base = self.bearing * _OVERSAMPLING, self.ascent * _OVERSAMPLING
        for glyph in map(self._glyph, text):
            _lay(line, glyph, pen + glyph.left, base + glyph.top)
            pen += glyph.advance
        return np.asarray(cv2.resize(line, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def cut(self, text: str, width: int) -> str:
        """`text`, or as much of its beginning as fits `width` with an ellipsis; the bare ellipsis at the least."""
        if self.width(text) <= width:
            return text
        return self._ended(text, width)

    def wrapped(self, text: str, width: int, most: int) -> list[Line]:
        """At most `most` lines of at most `width` pixels; an ellipsis ends the last one if that is not all."""
        lines: list[tuple[str, bool]] = []
        for paragraph in filter(None, text.split("\n")):
            right_to_left = is_right_to_left(paragraph)
            rest = paragraph
            while rest and len(lines) <= most:
                end = self._line_end(rest, width)
                lines.append((rest[:end].rstrip(), right_to_left))
                rest = rest[end:].lstrip()
        if len(lines) > most:
            lines[most - 1] = self._ended(lines[most - 1][0], width), lines[most - 1][1]
        return [Line(visual_order(line, side), side) for line, side in lines[:most]]

    def _ended(self, text: str, width: int) -> str:
        return text[: self._fitting(text, width - self.width(ELLIPSIS))].rstrip() + ELLIPSIS

    def _line_end(self, text: str, width: int) -> int:
        """How many characters of `text` make its first line: whole words, unless the first one is too long."""
        fitting = max(1, self._fitting(text, width))
        if fitting == len(text):
            return fitting
        ends = (end for end in range(fitting, 0, -1) if _may_break(text, end))
        return next(ends, fitting)

    def _fitting(self, text: str, width: int) -> int:
        left = width * _OVERSAMPLING
        for index, char in enumerate(text):
            left -= self._glyph(char).advance
            if left < 0:
                return index
        return len(text)

    def _has(self, char: str) -> bool:
        return char in " \n" or self._glyph(char) is not self._glyphs[MISSING]

    def _plain(self, char: str) -> str:
        plain = "".join(map(_kept, unicodedata.normalize("NFKD", char))).strip()
        return plain if plain and all(map(self._has, plain)) else MISSING

    def _glyph(self, char: str) -> _Glyph:
        if char not in self._glyphs:
            self._glyphs[char] = self._drawn(char)
        return self._glyphs[char]

    def _drawn(self, char: str) -> _Glyph:
        """OpenCV draws "?" for what its fonts lack, and some of their glyphs are empty."""
        coverage, advance = self._raster(char)
        rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
        if char == " ":
            return _Glyph(np.zeros((0, 0), np.uint8), 0, 0, advance)
        if not rows.size or (char != "?" and np.array_equal(coverage, self._lacking)):
            return self._glyphs[MISSING]
        top, left = int(rows[0]), int(columns[0])
        part = coverage[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1].copy()
        return _Glyph(part, left - self._scaled, top - 2 * self._scaled, advance)

    def _raster(self, char: str) -> tuple[Plane, int]:
        """One character with the pen at (size, 2 size) of a picture of 4 x 3 sizes, and its advance."""
        size = self._scaled
        image = np.zeros((3 * size, 4 * size), np.uint8)
        pen, _ = cv2.putText(image, char, (size, 2 * size), (255,), self._font, size, self._weight)
        return image, pen[0] - size

    def _box(self) -> _Glyph:
        height, width = round(CAP_HEIGHT * self._scaled), round(_BOX_WIDTH * self._scaled)
        space, stroke = round(_BOX_SPACE * self._scaled), max(1, round(_BOX_STROKE * self._scaled))
        box = np.full((height, width), 255, np.uint8)
        box[stroke:-stroke, stroke:-stroke] = 0
        return _Glyph(box, space, -height, width + 2 * space)


def cleaned(text: str) -> str:
    """`text` composed (NFC) as plain lines of words, in reading order.

    Whitespace becomes single spaces, line breaks single "\\n". Control and format characters (joiners, direction
    marks) and the marks that compose with no letter are left out; a lone surrogate becomes U+FFFD.
    """
    composed = unicodedata.normalize("NFC", _BREAKS.sub("\n", text))
    kept = "".join(filter(None, map(_kept, composed)))
    lines = (" ".join(line.split()) for line in kept.split("\n"))
    return "\n".join(filter(None, lines))


def _kept(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Cs":
        return "\ufffd"
    return " " if char == "\t" else char if char == "\n" or kind not in _DROPPED else ""


def _may_break(text: str, end: int) -> bool:
    """Whether a line may end before `text[end]`: at a space, after a hyphen, beside an ideograph."""
    before, after = text[end - 1], text[end]
    return " " in (before, after) or before in "-–—/" or "W" in map(unicodedata.east_asian_width, (before, after))


def _lay(line: Plane, glyph: _Glyph, left: int, top: int) -> None:
    """Adds a glyph to a line; what reaches over the line's edge is cut off."""
    height, width = glyph.coverage.shape
    place = line[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    rows, columns = max(-top, 0), max(-left, 0)
    np.maximum(place, glyph.coverage[rows : rows + place.shape[0], columns : columns + place.shape[1]], out=place)

"""A clip's rating, tags and notes as a lower third, drawn into yuv420p pictures (bt709, TV range).

Laid out and rasterised once, then blended into each picture: sample = sample * kept / 255 + added, inside `box` and
nowhere else. The box stays in the safe area and its edges are even, so that it covers whole chroma samples. The same
caption and size give the same bytes. Text that does not fit ends in an ellipsis, tags that do not fit are counted.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from gpu.plan.geometry import Size
from gpu.plan.spec import Caption
from gpu.render.bidi import is_right_to_left, visual_order
from gpu.render.lettering import CAP_HEIGHT, Lettering, cleaned
from gpu.render.picture import Plane, Planes

SAFE_MARGIN = 0.05
"""Free on each side, in parts of the picture's shorter side."""

STARS = 5
MOST_NOTE_LINES = 4
MOST_TAG_ROWS = 2
MOST_TAGS = 60
"""Tags after these are counted and not looked at."""

_TEXT_SIZE = 0.04
_SMALLEST_TEXT, _LARGEST_SHARE = 12, 1 / 12
_LONGEST_LINE = 36
_NOTE_WEIGHT, _TAG_WEIGHT = 450, 600
_STAR_OVERSAMPLING = 8
_INNER_RADIUS, _STAR_HOLLOW = 0.45, 0.66
_FLOAT_ERROR = 1e-3

Coverage = npt.NDArray[np.float32]


class Colour(NamedTuple):
    """A bt709 colour in TV range."""

    y: float
    u: float
    v: float


class Box(NamedTuple):
    """The samples of the luma plane that a caption may change; all four are even."""

    left: int
    top: int
    width: int
    height: int


class CaptionPainter:
    """Draws one caption into pictures of one size, both at least 16; any thread may draw."""

    def __init__(self, size: Size, caption: Caption) -> None:
        self._size = size
        sheet = _Sheet(_Measures.of(size), size, caption)
        self.box = sheet.box
        """Where it draws; None for a caption that shows nothing."""
        self._layers = () if self.box is None else _layers(sheet.painted(self.box), self.box)

    def draw(self, picture: Planes) -> None:
        """Blends the caption in place; ValueError for a picture of another size."""
        height, width = picture.y.shape
        if (width, height) != self._size:
            raise ValueError(f"a caption for {self._size} cannot be drawn into a picture of {width} x {height}")
        for layer in self._layers:
            layer.blend(picture)


class _Measures(NamedTuple):
    """Pixels, all from the size of the notes' letters."""

    margin: int
    text: int
    tag: int
    line: int
    row: int
    star: int
    padding: int
    gap: int
    bar: int

    @classmethod
    def of(cls, size: Size) -> "_Measures":
        shorter = min(size)
        text = max(1, round(shorter * _TEXT_SIZE), min(_SMALLEST_TEXT, int(shorter * _LARGEST_SHARE)))
        parts = (0.82, 1.32, 1.5, 1.12, 0.6, 0.4, 0.18)
        return cls(math.ceil(shorter * SAFE_MARGIN), text, *(max(1, round(text * part)) for part in parts))


class _Item(NamedTuple):
    """A chip with its text in visual order, or the stars if there is none."""

    width: int
    text: str | None = None


class _Sheet:
    """Where each part of a caption stands in its box."""

    def __init__(self, measures: _Measures, size: Size, caption: Caption) -> None:
        self._measures = measures
        self._rating = caption.rating
        self._tags, self._notes = Lettering(measures.tag, _TAG_WEIGHT), Lettering(measures.text, _NOTE_WEIGHT)
        frame = 2 * measures.padding + measures.bar
        self._inner = min(size.width - 2 * measures.margin, _LONGEST_LINE * measures.text) - frame
        self._rows = self._filled_rows(caption.tags)
        notes = self._notes.readable(cleaned(caption.notes))
        self._lines = self._notes.wrapped(notes, self._inner, MOST_NOTE_LINES)
        self.box = self._placed(size, frame) if self._rows or self._lines else None

    def _placed(self, size: Size, frame: int) -> Box:
        """At the lower left of the safe area; cut off at its top where rounded sizes add up to more (24 rows)."""
        measures = self._measures
        rows = [sum(item.width for item in row) + (len(row) - 1) * measures.gap for row in self._rows]
        width = frame + max([*rows, *(self._notes.width(line.text) for line in self._lines)])
        height = 2 * measures.padding + self._rows_height() + len(self._lines) * measures.line
        left, bottom = measures.margin + measures.margin % 2, (size.height - measures.margin) // 2 * 2
        right = (measures.margin + width) // 2 * 2
        highest = measures.margin + measures.margin % 2
        top = max(bottom - height - height % 2, highest)
        return Box(left, top, right - left, bottom - top)

    def _rows_height(self) -> int:
        between = len(self._rows) - (0 if self._lines else 1)
        return len(self._rows) * self._measures.row + max(between, 0) * self._measures.gap

    def _filled_rows(self, tags: tuple[str, ...]) -> list[list[_Item]]:
        """Stars and chips in rows of the inner width; what is left over is counted in a last chip."""
        measures = self._measures
        stars = _Item(STARS * measures.star + measures.gap)
        rows = [[stars]] if self._rating else []
        labels = list(filter(None, (cleaned(tag).replace("\n", " ") for tag in tags[:MOST_TAGS])))
        hidden = len(labels) + max(0, len(tags) - MOST_TAGS)
        for label in labels:
            if not self._put(rows, self._chip(label)):
                break
            hidden -= 1
        if hidden:
            self._count(rows, hidden)
        return rows

    def _put(self, rows: list[list[_Item]], item: _Item) -> bool:
        """Adds an item to the last row or a new one; False if there is no room."""
        gap = self._measures.gap
        if rows and sum(each.width + gap for each in rows[-1]) + item.width <= self._inner:
            rows[-1].append(item)
            return True
        if len(rows) == MOST_TAG_ROWS:
            return False
        rows.append([item])
        return True

    def _count(self, rows: list[list[_Item]], hidden: int) -> None:
        """Puts a chip with the number of hidden tags, for which the last chips give way."""
        while not self._put(rows, self._chip(f"+{hidden}")):
            rows[-1].pop()
            hidden += 1
            if not rows[-1]:
                rows.pop()

    def _chip(self, label: str) -> _Item:
        text = self._tags.cut(self._tags.readable(label), self._inner - 2 * self._measures.gap)
        width = self._tags.width(text) + 2 * self._measures.gap
        return _Item(width, visual_order(text, is_right_to_left(text)))

    def painted(self, box: Box) -> "_Canvas":
        canvas = _Canvas(box.width, box.height)
        self._paint_plate(canvas, box)
        measures = self._measures
        left, top = measures.bar + measures.padding, measures.padding
        for row in self._rows:
            self._paint_row(canvas, row, left, top)
            top += measures.row + measures.gap
        right = box.width - measures.padding
        for line in self._lines:
            start = right - self._notes.width(line.text) if line.right_to_left else left
            _paint_text(canvas, self._notes, line.text, start, _base_line(top, measures.line, measures.text))
            top += measures.line
        return canvas

    def _paint_plate(self, canvas: "_Canvas", box: Box) -> None:
        plate = _rounded(box.width, box.height, self._measures.gap / 2)
        canvas.paint(plate, 0, 0, PLATE, PLATE_OPACITY)
        canvas.paint(plate[:, : self._measures.bar], 0, 0, GOLD)

    def _paint_row(self, canvas: "_Canvas", row: list[_Item], left: int, top: int) -> None:
        measures = self._measures
        for item in row:
            if item.text is None:
                self._paint_stars(canvas, left, top + (measures.row - measures.star) // 2)
            else:
                chip = _rounded(item.width, measures.row, measures.row / 4)
                canvas.paint(chip, left, top, WHITE, CHIP_OPACITY)
                base = _base_line(top, measures.row, measures.tag)
                _paint_text(canvas, self._tags, item.text, left + measures.gap, base)
            left += item.width + measures.gap

    def _paint_stars(self, canvas: "_Canvas", left: int, top: int) -> None:
        size = self._measures.star
        for index in range(STARS):
            filled = index < (self._rating or 0)
            canvas.paint(_star(size, filled), left + index * size, top, GOLD if filled else EMPTY_STAR)


class _Canvas:
    """A picture that is being composed: opacity and, multiplied by it, Y, U and V of each sample of a box."""

    def __init__(self, width: int, height: int) -> None:
        self.opacity = np.zeros((height, width), np.float32)
        self.colours = np.zeros((3, height, width), np.float32)

    def paint(self, coverage: Coverage, left: int, top: int, colour: Colour, opacity: float = 1.0) -> None:
        """Lays a colour over what is there ("over" of Porter and Duff), as far as it reaches into the box."""
        rows, columns = max(-top, 0), max(-left, 0)
        place = np.s_[max(top, 0) : max(top + coverage.shape[0], 0), max(left, 0) : max(left + coverage.shape[1], 0)]
        height, width = self.opacity[place].shape
        share = coverage[rows : rows + height, columns : columns + width] * np.float32(opacity)
        self.opacity[place] += share * (1 - self.opacity[place])
        for plane, value in zip(self.colours, colour, strict=True):
            plane[place] += share * (np.float32(value) - plane[place])


class _Layer(NamedTuple):
    """What blending does to one plane (its index) from its sample (top, left) on."""

    plane: int
    left: int
    top: int
    kept: Plane
    added: Plane

    def blend(self, picture: Planes) -> None:
        height, width = self.kept.shape
        part = picture[self.plane][self.top : self.top + height, self.left : self.left + width]
        cv2.multiply(part, self.kept, dst=part, scale=1 / 255)
        cv2.add(part, self.added, dst=part)


def _layers(canvas: _Canvas, box: Box) -> tuple[_Layer, ...]:
    """Chroma takes the mean of the four samples that share it. `added` is rounded down, so sums stay in TV range."""
    layers = []
    for index, (colour, step) in enumerate(zip(canvas.colours, (1, 2, 2), strict=True)):
        size = box.width // step, box.height // step
        opacity, added = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (canvas.opacity, colour))
        kept = np.rint(255 * (1 - opacity)).clip(0, 255).astype(np.uint8)
        whole = (added + _FLOAT_ERROR).astype(np.uint8)
        layers.append(_Layer(index, box.left // step, box.top // step, kept, whole))
    return tuple(layers)


def _colour(rgb: str) -> Colour:
    """From "#rrggbb", by ITU-R BT.709, items 3.2 to 3.4, and the TV range's quantisation."""
    red, green, blue = (int(rgb[index : index + 2], 16) / 255 for index in (1, 3, 5))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return Colour(16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748)


PLATE, PLATE_OPACITY = _colour("#0a101c"), 0.78
WHITE, CHIP_OPACITY = _colour("#ffffff"), 0.15
GOLD, EMPTY_STAR = _colour("#ffc72c"), _colour("#b4bcc8")


def _paint_text(canvas: _Canvas, letters: Lettering, text: str, left: int, base: int) -> None:
    coverage = np.asarray(letters.coverage(text) / np.float32(255), np.float32)
    canvas.paint(coverage, left - letters.bearing, base - letters.ascent, WHITE)


def _base_line(top: int, height: int, size: int) -> int:
    """Where letters of `size` stand so that capitals are in the middle of a row."""
    return top + round((height + CAP_HEIGHT * size) / 2)


def _rounded(width: int, height: int, radius: float) -> Coverage:
    """A rectangle with round corners, from the distance of each sample's middle to its outline."""
    x = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None] - (height / 2 - radius)
    distance = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - radius
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


def _star(size: int, filled: bool) -> Coverage:
    """A five-pointed star in a square of `size`, or its outline."""
    sample = np.zeros((size * _STAR_OVERSAMPLING,) * 2, np.uint8)
    cv2.fillPoly(sample, [_star_points(sample.shape[0], 1)], (255,))
    if not filled:
        cv2.fillPoly(sample, [_star_points(sample.shape[0], _STAR_HOLLOW)], (0,))
    return np.asarray(cv2.resize(sample, (size, size), interpolation=cv2.INTER_AREA)) / np.float32(255)


def _star_points(size: int, scale: float) -> npt.NDArray[np.int32]:
    angles = np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2, _INNER_RADIUS, 1) * size * 0.47 * scale
    x, y = size / 2 + radii * np.sin(angles), size * 0.53 - radii * np.cos(angles)
    return np.rint(np.stack([x, y], axis=1)).astype(np.int32)

"""Writes the storyboard of a game: small pictures every four seconds, laid out on JPEG sheets, and what each one shows.

Entry k stands for the time of k intervals and names the frame that it really shows (see `gpu.derive.thumbnails`).
One sheet is in memory at a time.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from gpu.derive.facts import SHEET_COLUMNS, SHEET_ROWS, STORYBOARD_INTERVAL_MS, Storyboard, Thumbnail
from gpu.derive.publish import published
from gpu.derive.scaling import Scaler
from gpu.derive.thumbnails import pictures_near
from gpu.plan.duration import nearest
from gpu.plan.geometry import Size
from gpu.render.media import Media, open_media
from gpu.render.metered import SeekableFile
from gpu.render.overlap import overlapped
from gpu.render.picture import PIXEL_FORMAT
from gpu.render.timing import Grid, find_grid

LARGEST_CELL = Size(160, 90)
INDEX_NAME = "storyboard.json"
_JPEG_QUALITY = 65
_PICTURES_AHEAD = 8

Cell = npt.NDArray[np.uint8]
"""Blue, green and red of shape (height, width, 3)."""


@dataclass(frozen=True)
class _Plan:
    """The frames that the entries stand for, and the size of their pictures."""

    rate: Fraction
    frame_count: int
    interval_ms: int
    cell: Size

    @property
    def interval(self) -> int:
        """Frames from one entry to the next, at least 1; the entries themselves are rounded one by one."""
        return max(1, int(self.interval_ms * self.rate / 1000))

    @property
    def targets(self) -> list[int]:
        """The frame at each multiple of the interval that is before the end."""
        length_ms = self.frame_count * 1000 / self.rate
        count = -(-length_ms.numerator // (length_ms.denominator * self.interval_ms))
        last = self.frame_count - 1
        return [min(last, self._frame_at(entry * self.interval_ms)) for entry in range(count)]

    def _frame_at(self, ms: int) -> int:
        return nearest(ms * self.rate.numerator, self.rate.denominator * 1000)

    def ms(self, frame: int) -> int:
        return nearest(frame * self.rate.denominator * 1000, self.rate.numerator)


@dataclass(frozen=True)
class _Shown:
    """A drawn cell and the frame that it shows."""

    frame: int
    cell: Cell


def write_storyboard(
    file: SeekableFile,
    folder: Path,
    on_frame: Callable[[int], None] = lambda done: None,
    stop_reading: Callable[[], None] = lambda: None,
    interval_ms: int = STORYBOARD_INTERVAL_MS,
) -> Storyboard:
    """Makes `folder` with the sheets and their index, the returned storyboard as JSON; it must be absent or empty.

    `on_frame` gets the number of the source's frames done so far, at the end all of them. An exception, the caller's
    own included, leaves no folder; `stop_reading` is called then. Raises MediaFailure.
    """
    with published(folder) as part:
        part.mkdir()
        with overlapped(_drawn(file, interval_ms), _PICTURES_AHEAD, stop_reading) as items:
            plan = next(items)
            if not isinstance(plan, _Plan):
                raise TypeError(f"the first thing read is a {type(plan).__name__}, not the plan")
            targets = [*plan.targets[1:], plan.frame_count]
            sheets, entries = _Sheets(part, plan.cell), []
            for item in items:
                if isinstance(item, _Shown):
                    sheet, row, column = sheets.add(item.cell)
                    entries.append(
                        Thumbnail(sheet=sheet, column=column, row=row, frame=item.frame, ms=plan.ms(item.frame))
                    )
                    on_frame(targets[len(entries) - 1])
        storyboard = Storyboard(
            sheets=sheets.finish(),
            columns=SHEET_COLUMNS,
            rows=SHEET_ROWS,
            cell_width=plan.cell.width,
            cell_height=plan.cell.height,
            interval_ms=interval_ms,
            entries=tuple(entries),
        )
        (part / INDEX_NAME).write_text(storyboard.model_dump_json(), encoding="ascii")
        return storyboard


def cell_size(display: Size) -> Size:
    """The largest even size of the picture's ratio inside a cell; never enlarged."""
    scale = min(Fraction(1), *(Fraction(most, side) for most, side in zip(LARGEST_CELL, display, strict=True)))
    width, height = (max(2, nearest((side * scale).numerator, (side * scale).denominator) // 2 * 2) for side in display)
    return Size(width, height)


def _drawn(file: SeekableFile, interval_ms: int) -> Generator[_Plan | _Shown]:
    with open_media(file) as media:
        grid = find_grid(media)
        plan = _Plan(grid.rate, grid.frame_count, interval_ms, cell_size(media.display_size))
        yield plan
        yield from _cells(media, grid, plan)


def _cells(media: Media, grid: Grid, plan: _Plan) -> Generator[_Shown]:
    scaler = Scaler(media, plan.cell)
    small = VideoFrame(*plan.cell, PIXEL_FORMAT)
    for picture in pictures_near(media, grid, plan.targets, plan.interval):
        scaler.draw(picture.frame, small)
        yield _Shown(picture.number, _blue_green_red(small))


def _blue_green_red(frame: VideoFrame) -> Cell:
    """The pixels of a yuv420p, bt709, TV range frame."""
    converted = frame.reformat(
        format="bgr24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return np.asarray(converted.to_ndarray(), np.uint8)


class _Sheets:
    """Fills sheets row by row and writes each one when it is full; the last one has only the rows that it needs."""

    def __init__(self, folder: Path, cell: Size) -> None:
        self._folder, self._cell = folder, cell
        self._sheet = self._empty()
        self._names: list[str] = []
        self._used = 0

    def add(self, cell: Cell) -> tuple[int, int, int]:
        """The sheet, row and column at which the cell now is."""
        if self._used == SHEET_COLUMNS * SHEET_ROWS:
            self._write()
        row, column = divmod(self._used, SHEET_COLUMNS)
        top, left = row * self._cell.height, column * self._cell.width
        self._sheet[top : top + self._cell.height, left : left + self._cell.width] = cell
        self._used += 1
        return len(self._names), row, column

    def finish(self) -> tuple[str, ...]:
        """The names of all sheets."""
        self._write()
        return tuple(self._names)

    def _write(self) -> None:
        rows = -(-self._used // SHEET_COLUMNS)
        done, content = cv2.imencode(
            ".jpg", self._sheet[: rows * self._cell.height], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not done:
            raise RuntimeError(f"sheet {len(self._names)} of {self._folder.name} cannot be encoded as JPEG")
        self._names.append(f"sheet-{len(self._names):03d}.jpg")
        (self._folder / self._names[-1]).write_bytes(content.tobytes())
        self._sheet, self._used = self._empty(), 0

    def _empty(self) -> Cell:
        return np.zeros((SHEET_ROWS * self._cell.height, SHEET_COLUMNS * self._cell.width, 3), np.uint8)

"""python -m bench.library.plots: measures and draws docs/library-size.svg and docs/library-users.svg, in some minutes.

The same points give the same bytes: no date, no random ids.
"""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.library.figures import quieten
from bench.library.stand_in import LATENCY_MS, stand_in
from bench.library.sweep import SizePoint, UsersPoint, over_sizes, over_users
from infra.sources import ROOT

SIZE_PLOT = ROOT / "docs/library-size.svg"
USERS_PLOT = ROOT / "docs/library-users.svg"
_KB, _MS = 1000.0, 1000.0
_SIZE_TICKS = (200, 500, 1000, 2000, 5000, 10_000)
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "library",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "lines.marker": "o",
    "lines.markersize": 4,
}
_WRITE, _OPEN, _BASELINE = "#1f6fb4", "#c8621b", "#777777"
_Point = TypeVar("_Point", SizePoint, UsersPoint)


def draw_sizes(points: Sequence[SizePoint]) -> bytes:
    """SVG: bytes and milliseconds of a small change and of a cold open, by the size of the image."""
    with mpl.rc_context(_STYLE):
        drawing = Drawing(figsize=(10, 4.2), layout="constrained")
        moved, took = drawing.subplots(1, 2)
        sizes = [point.image_bytes / _KB for point in points]
        moved.plot(sizes, sizes, color=_BASELINE, linestyle=":", marker="", label="the whole file")
        moved.plot(sizes, _scaled(points, "cold_open_bytes", _KB), color=_OPEN, label="cold open")
        moved.plot(sizes, _scaled(points, "write_bytes", _KB), color=_WRITE, label="small change (mean of 128)")
        moved.set(title="Bytes over the network", xscale="log", yscale="log", ylabel="KB")
        took.plot(sizes, _scaled(points, "cold_open_s", 1 / _MS), color=_OPEN, label="cold open")
        took.plot(sizes, _scaled(points, "gets_s", 1 / _MS), color=_OPEN, linestyle=":", label="its bare requests")
        took.plot(sizes, _scaled(points, "write_s", 1 / _MS), color=_WRITE, label="small change")
        took.plot(sizes, _scaled(points, "put_s", 1 / _MS), color=_WRITE, linestyle=":", label="its bare PUT")
        took.set(title=f"Time, {LATENCY_MS} ms before every request (P50)", xscale="log", ylabel="ms", ylim=(0, None))
        for axes in (moved, took):
            _finish(axes, "size of the library, KB", _SIZE_TICKS)
        return _svg(drawing)


def draw_users(points: Sequence[UsersPoint]) -> bytes:
    """SVG: acknowledged writes a second of all users together, by their number."""
    with mpl.rc_context(_STYLE):
        drawing = Drawing(figsize=(7, 4.2), layout="constrained")
        axes = drawing.subplots()
        users = [point.users for point in points]
        axes.plot(users, [point.eight_writers for point in points], color=_WRITE, label="log, 8 writers a user")
        axes.plot(
            users, [point.one_writer for point in points], color=_WRITE, linestyle="--", label="log, 1 writer a user"
        )
        axes.plot(
            users, [point.swapped for point in points], color=_BASELINE, label="compare-and-swap of one key a user"
        )
        title = f"Acknowledged writes, 216 KB libraries, {LATENCY_MS} ms before every request"
        axes.set(title=title, xscale="log", yscale="log", ylabel="writes/s")
        _finish(axes, "users who write at once; store and server share a machine", users)
        return _svg(drawing)


def _scaled(points: Sequence[SizePoint], name: str, unit: float) -> list[float]:
    return [getattr(point, name) / unit for point in points]


def _finish(axes: Axes, xlabel: str, ticks: Sequence[int]) -> None:
    axes.set_xlabel(xlabel)
    axes.set_xticks(ticks)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.legend()


def _plain(value: float, _: object) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _svg(drawing: Drawing) -> bytes:
    file = io.BytesIO()
    drawing.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return b"\n".join(line.rstrip() for line in file.getvalue().splitlines()) + b"\n"


async def _told(points: AsyncIterator[_Point]) -> list[_Point]:
    """All of them, each printed as it is measured."""
    found = []
    async for point in points:
        print(json.dumps(point._asdict()), flush=True)
        found.append(point)
    return found


def main() -> None:
    quieten()
    with stand_in() as r2:
        sizes = asyncio.run(_told(over_sizes(r2)))
        users = asyncio.run(_told(over_users(r2)))
    SIZE_PLOT.write_bytes(draw_sizes(sizes))
    USERS_PLOT.write_bytes(draw_users(users))


if __name__ == "__main__":
    main()

"""What was derived from a source, as data. Frames count on the source's own grid, `ms` from its first picture.

Every number is measured from what was written or decoded, never from what was asked for. No import of an engine, so
that a contract can hold these.
"""

from typing import Annotated, Literal

from pydantic import Field

from gpu.plan.spec import Answered

STORYBOARD_INTERVAL_MS = 4000
"""Time between two entries of a storyboard."""
SHEET_COLUMNS = SHEET_ROWS = 10
"""Cells of a storyboard's sheet."""

ProxyReason = Literal["hdr", "codec", "pixel_format", "interlaced", "variable_frame_rate", "long_gop"]
"""Why a browser cannot play or seek a source well."""


class ProxyFacts(Answered):
    """Frame n of the proxy, at `fps_num / fps_den`, shows the source's frame `first_frame + n * frame_step`."""

    width: int
    height: int
    fps_num: int
    fps_den: int
    frame_count: int
    duration_ms: int
    first_frame: Annotated[int, Field(ge=0)]
    frame_step: Annotated[int, Field(ge=1)]
    has_sound: bool
    size_bytes: int
    sha256: str


class Thumbnail(Answered):
    """One cell of a sheet and the frame of the source that it shows."""

    sheet: Annotated[int, Field(ge=0, description="index into the storyboard's sheets")]
    column: Annotated[int, Field(ge=0)]
    row: Annotated[int, Field(ge=0)]
    frame: Annotated[int, Field(ge=0, description="the frame shown, which is near the entry's time but rarely at it")]
    ms: Annotated[int, Field(ge=0, description="when that frame is shown, to the nearest millisecond")]


class Storyboard(Answered):
    """Entry k is for the time `k * interval_ms`. Cells have the source's ratio and touch; unused ones are black."""

    sheets: tuple[str, ...]
    columns: int
    rows: int
    cell_width: int
    cell_height: int
    interval_ms: int
    entries: tuple[Thumbnail, ...]


class PeaksFacts(Answered):
    """A version 2 `.dat` file of `audiowaveform`: for each bucket the lowest and the highest sample as int8."""

    sample_rate: int
    samples_per_bucket: int
    bucket_count: int
    has_sound: bool
    size_bytes: int
    sha256: str

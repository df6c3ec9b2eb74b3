"""Reads a finished file and measures it; a file that does not keep the plan's promises is never published.

Checked: size, frame count and even spacing, rate, yuv420p, bt709 and TV range tags, index before the pictures, and
sound within one frame of the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from gpu.plan.duration import SAMPLE_RATE, nearest
from gpu.plan.render_plan import RenderPlan
from gpu.render.errors import MediaFailure
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE


@dataclass(frozen=True)
class Measured:
    """Facts read from the file."""

    width: int
    height: int
    rate: Fraction
    timestamps: tuple[Fraction, ...]
    pixel_format: str | None
    colour: tuple[int, int, int, int]
    index_first: bool
    audio_seconds: Fraction | None

    @property
    def frame_count(self) -> int:
        return len(self.timestamps)

    @property
    def duration_ms(self) -> int:
        return nearest(self.frame_count * self.rate.denominator * 1000, self.rate.numerator)

    @property
    def audio_duration_ms(self) -> int | None:
        return None if self.audio_seconds is None else round(self.audio_seconds * 1000)


def measure(path: Path) -> Measured:
    """Reads every packet's timestamp, decodes nothing."""
    with av.open(str(path), "r") as container:
        video = container.streams.video[0]
        context = video.codec_context
        audio = container.streams.audio[0] if container.streams.audio else None
        sound = audio.duration * audio.time_base if audio and audio.duration and audio.time_base else None
        stamps = sorted(p.pts * p.time_base for p in container.demux(video) if p.pts is not None)
        return Measured(
            width=context.width,
            height=context.height,
            rate=video.average_rate or Fraction(0),
            timestamps=tuple(stamps),
            pixel_format=context.pix_fmt,
            colour=(context.color_primaries, context.color_trc, context.colorspace, context.color_range),
            index_first=_has_index_first(path),
            audio_seconds=sound,
        )


def check(measured: Measured, plan: RenderPlan) -> None:
    """Raises MediaFailure `internal` with everything that differs from the plan."""
    if faults := list(_faults(measured, plan)):
        raise MediaFailure("internal", f"the rendered file failed its checks: {'; '.join(faults)}")


def _faults(measured: Measured, plan: RenderPlan) -> Iterator[str]:
    rate = Fraction(plan.fps_num, plan.fps_den)
    if (measured.width, measured.height) != plan.size:
        yield f"it is {measured.width} x {measured.height}, planned {plan.size.width} x {plan.size.height}"
    if measured.frame_count != plan.frame_count:
        yield f"it has {measured.frame_count} frames, planned {plan.frame_count}"
    if measured.frame_count > 1 and measured.rate != rate:
        yield f"its rate is {measured.rate}, planned {rate}"
    if any(abs(stamp * rate - number) > Fraction(1, 100) for number, stamp in enumerate(measured.timestamps)):
        yield "its frames are not evenly spaced from 0"
    if measured.pixel_format != PIXEL_FORMAT or measured.colour != (BT709, BT709, BT709, TV_RANGE):
        yield f"its pictures are {measured.pixel_format} with colour tags {measured.colour}"
    if not measured.index_first:
        yield "its index is not at the front"
    yield from _sound_faults(measured, plan, rate)


def _sound_faults(measured: Measured, plan: RenderPlan, rate: Fraction) -> Iterator[str]:
    if (measured.audio_seconds is None) != (plan.sample_count is None):
        yield "it has sound against the plan" if plan.sample_count is None else "it has no sound"
    elif measured.audio_seconds is not None and plan.sample_count is not None:
        planned = Fraction(plan.sample_count, SAMPLE_RATE)
        if abs(measured.audio_seconds - planned) > 1 / rate:
            yield f"its sound takes {float(measured.audio_seconds):.3f} s, planned {float(planned):.3f} s"


def _has_index_first(path: Path) -> bool:
    """Whether `moov` comes before `mdat` among the boxes of the file (ISO 14496-12, 4.2)."""
    with path.open("rb") as file:
        while len(header := file.read(16)) >= 8:
            size, kind = int.from_bytes(header[:4]), header[4:8]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            size = int.from_bytes(header[8:16]) if size == 1 else size
            if size < 8:
                return False
            file.seek(size - len(header), 1)
    return False

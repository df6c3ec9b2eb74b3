"""The facts of a finished file as an answer has them."""

from pathlib import Path

from gpu.contract import MeasuredVideo
from gpu.render.gates import Measured
from gpu.render.output import file_sha256


def measured_video(measured: Measured, path: Path) -> MeasuredVideo:
    """`measured` is what was read from the file at `path`."""
    return MeasuredVideo(
        width=measured.width,
        height=measured.height,
        fps_num=measured.rate.numerator,
        fps_den=measured.rate.denominator,
        frame_count=measured.frame_count,
        duration_ms=measured.duration_ms,
        audio_duration_ms=measured.audio_duration_ms,
        size_bytes=path.stat().st_size,
        sha256=file_sha256(path),
    )

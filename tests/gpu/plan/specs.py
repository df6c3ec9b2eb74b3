"""Short ways to write plans' inputs in tests."""

from collections.abc import Sequence

from hypothesis import settings

from gpu.plan.spec import CropKeyframe, Easing, EditSpec, OutputSize, ProbeInfo

repeatable = settings(max_examples=60)
"""Fewer examples than usual: the formulas have few cases, and drawing a plan takes long."""
PORTRAIT = OutputSize(width=1080, height=1920)


def probe(
    width: int = 1920, height: int = 1080, fps: tuple[int, int] = (30, 1), frames: int = 900, audio: bool = True
) -> ProbeInfo:
    return ProbeInfo(
        width=width,
        height=height,
        rotation=0,
        fps_num=fps[0],
        fps_den=fps[1],
        frame_count=frames,
        duration_ms=frames * fps[1] * 1000 // fps[0],
        video_codec="h264",
        pixel_format="yuv420p",
        audio_codec="aac" if audio else None,
    )


def keyframe(frame: int, x: float, width: float = 607.5, easing: Easing = "smooth") -> CropKeyframe:
    """A 9:16 rectangle in the middle of 1080 rows."""
    height = width * 16 / 9
    return CropKeyframe(frame=frame, x=x, y=(1080 - height) / 2, width=width, height=height, easing=easing)


def framing(keyframes: Sequence[CropKeyframe], in_frame: int = 0, out_frame: int = 100) -> EditSpec:
    return EditSpec.of_clip(in_frame=in_frame, out_frame=out_frame, crop_keyframes=tuple(keyframes), size=PORTRAIT)

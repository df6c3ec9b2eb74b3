"""Renders in one line, and reads the frame numbers of what came out."""

from collections.abc import Sequence
from pathlib import Path

from gpu.contract import RenderResult
from gpu.plan import RenderPlan, compile_plan
from gpu.plan.geometry import Rect
from gpu.plan.spec import CropKeyframe, Easing, EditSpec, OutputSize
from gpu.render.produce import probe_file, produce
from gpu.render.sources import LocalSources
from gpu.sample.counter import read_counter
from tests.gpu.render.videos import SIZE, read_lumas


def render(video: Path, spec: EditSpec, out: Path) -> RenderResult:
    return produce(LocalSources([video]), "framing", spec, out, lambda progress: None)


def plan_of(video: Path, spec: EditSpec) -> RenderPlan:
    with video.open("rb") as file:
        return compile_plan(spec, probe_file(file))


def numbers_in(video: Path, crops: list[Rect] | None = None, source_size: tuple[int, int] = SIZE) -> list[int]:
    """The counter of every frame of a rendered file."""
    lumas = read_lumas(video)
    shown: Sequence[Rect | None] = crops or [None] * len(lumas)
    return [read_counter(luma, source_size, crop) for luma, crop in zip(lumas, shown, strict=True)]


def panning(in_frame: int, out_frame: int, easing: Easing = "smooth") -> EditSpec:
    """A 16:9 crop that moves right and zooms in, and always shows a whole counter."""
    return EditSpec.of_clip(
        in_frame=in_frame,
        out_frame=out_frame,
        crop_keyframes=(
            CropKeyframe(frame=0, x=0, y=0, width=240, height=135, easing=easing),
            CropKeyframe(frame=out_frame - in_frame - 1, x=90.5, y=0, width=192, height=108, easing=easing),
        ),
        size=OutputSize(width=320, height=180),
    )

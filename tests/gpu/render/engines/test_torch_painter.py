"""Pictures painted by torch, on its CPU device, against those of the reference painter, before any encoder."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu.plan import RenderPlan
from gpu.plan.spec import ClipEdit, EditSpec, OutputSize
from gpu.render.engines.torch_painter import painted
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalSources
from tests.gpu.plan.edits import Limits, edits
from tests.gpu.render.engines.agreement import (
    LEAST_PSNR,
    Pictures,
    any_edit,
    plan_of,
    probed,
    reference,
    rows,
    worst_psnr,
)
from tests.gpu.render.videos import HEIGHT, WIDTH

pytest.importorskip("torch", reason="torch is only on images for GPUs")
SEED = 20261122
FRAMES = 30
SMALL = Limits(clips=3, frames=16, sizes=(None, (64, 36), (90, 160)), rates=(None, (25, 1)))


def torch_pictures(plan: RenderPlan, *videos: Path, start: int = 0, batch: int | None = 5) -> Pictures:
    with Shelf(LocalSources(videos)) as shelf:
        return rows(painted(plan, range(start, plan.frame_count), shelf, "cpu", batch))


@pytest.mark.parametrize("seed", range(SEED, SEED + 8))
def test_any_edit_looks_as_the_reference_paints_it(match: Path, seed: int) -> None:
    plan = plan_of(any_edit(seed, FRAMES, WIDTH, HEIGHT), match)
    psnr = worst_psnr(torch_pictures(plan, match), reference(plan, match))
    assert psnr >= LEAST_PSNR


@settings(derandomize=True, deadline=None, max_examples=15)
@given(data=st.data())
def test_random_edits_of_two_videos_look_as_the_reference_paints_them(
    match: Path, ntsc: Path, data: st.DataObject
) -> None:
    spec = data.draw(edits([probed(match), probed(ntsc)], SMALL))
    plan = plan_of(spec, match, ntsc)
    assert worst_psnr(torch_pictures(plan, match, ntsc), reference(plan, match, ntsc)) >= LEAST_PSNR


@pytest.mark.parametrize("side", [16, 34, 60, 90])
def test_a_large_reduction_looks_as_the_reference_paints_it(match: Path, side: int) -> None:
    plan = plan_of(EditSpec.of_clip(0, 3, size=OutputSize(width=side * 16 // 9 // 2 * 2, height=side)), match)
    psnr = worst_psnr(torch_pictures(plan, match), reference(plan, match))
    assert psnr >= LEAST_PSNR


def test_an_untouched_picture_is_copied_to_the_byte(match: Path) -> None:
    plan = plan_of(EditSpec.of_clip(10, 20), match)
    assert worst_psnr(torch_pictures(plan, match), reference(plan, match)) == float("inf")


def test_batches_and_parts_do_not_show(match: Path) -> None:
    clips = (ClipEdit(in_frame=0, out_frame=9), ClipEdit(in_frame=40, out_frame=49))
    spec = any_edit(SEED, FRAMES, WIDTH, HEIGHT).model_copy(update={"clips": clips})
    plan = plan_of(spec, match)
    whole = torch_pictures(plan, match, batch=100)
    for start, batch in ((0, 1), (3, 4), (11, 2)):
        assert worst_psnr(torch_pictures(plan, match, start=start, batch=batch), whole[start:]) == float("inf")

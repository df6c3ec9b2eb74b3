import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.projects.errors import CropError
from app.projects.framing import OUTPUT_SIZES, centred_crop, ratio_of, require_valid
from app.projects.schemas import AspectRatio
from gpu.plan.spec import CropKeyframe
from tests.app.scripted_renderer import PROBE

RATIOS = st.sampled_from(sorted(OUTPUT_SIZES))


def crop(frame: int = 0, x: float = 0, y: float = 0, width: float = 607.5, height: float = 1080) -> CropKeyframe:
    return CropKeyframe(frame=frame, x=x, y=y, width=width, height=height)


def wrong_fields(keyframe: CropKeyframe) -> list[str]:
    with pytest.raises(CropError) as caught:
        require_valid(keyframe, "9:16", PROBE, 60)
    return [error.field for error in caught.value.errors]


@pytest.mark.parametrize(
    "good", [crop(), crop(x=1312.5), crop(frame=59), crop(width=405, height=720, y=360), crop(width=608)]
)
def test_a_crop_inside_the_picture_is_fine(good: CropKeyframe) -> None:
    require_valid(good, "9:16", PROBE, 60)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (crop(frame=60), "frame"),
        (crop(x=-1), "x"),
        (crop(x=1313), "x"),
        (crop(y=0.5), "y"),
        (crop(width=615), "width"),
        (crop(width=600), "width"),
        (crop(width=9, height=16), "width"),
    ],
)
def test_a_crop_that_leaves_picture_clip_or_ratio_is_refused(bad: CropKeyframe, field: str) -> None:
    assert wrong_fields(bad) == [field]


@given(RATIOS, st.integers(64, 7680), st.integers(64, 7680))
def test_the_centred_crop_is_valid_for_every_picture(ratio: AspectRatio, width: int, height: int) -> None:
    probe = PROBE.model_copy(update={"width": width, "height": height})
    keyframe = centred_crop(ratio, probe)
    require_valid(keyframe, ratio, probe, 1)
    assert keyframe.width == pytest.approx(width) or keyframe.height == pytest.approx(height)


@pytest.mark.parametrize("name", sorted(OUTPUT_SIZES))
def test_output_sizes_have_the_ratio_of_their_name(name: AspectRatio) -> None:
    across, down = map(int, name.split(":"))
    assert ratio_of(name) == pytest.approx(across / down)

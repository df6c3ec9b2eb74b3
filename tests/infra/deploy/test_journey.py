"""The crop that the main job draws."""

import pytest

from infra.deploy.journey import pan


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (1080, 1920), (720, 1600), (640, 480)])
def test_the_pan_stays_inside_the_picture_and_keeps_its_ratio(width: int, height: int) -> None:
    keyframes = pan(width, height, 180)
    assert [each["frame"] for each in keyframes] == [0, 179]
    for each in keyframes:
        assert each["width"] / each["height"] == pytest.approx(9 / 16)
        assert 0 <= each["x"] <= width - each["width"] + 1e-9
        assert 0 <= each["y"] <= height - each["height"] + 1e-9


def test_a_clip_of_one_frame_has_one_keyframe() -> None:
    assert [each["frame"] for each in pan(1920, 1080, 1)] == [0]

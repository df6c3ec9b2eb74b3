"""The main job over the public API, and the crop that it draws."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.types import Message, Scope

from gpu.contract import MediaError
from gpu.sample.writer import write_sample
from infra.deploy.errors import DeployError
from infra.deploy.journey import Journey, pan
from infra.deploy.verify.mp4 import read_mp4
from tests.infra.deploy.world import HEIGHT, WIDTH, FileRenderer, World, world


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "reel.mp4"
    write_sample(path, 2, width=WIDTH, height=HEIGHT)
    return path


@pytest.fixture
async def stack(tmp_path: Path, video: Path) -> AsyncIterator[World]:
    async with world(tmp_path, FileRenderer(video.read_bytes())) as made:
        yield made


async def test_a_recording_becomes_a_reel_on_disk(stack: World, video: Path, tmp_path: Path) -> None:
    said: list[str] = []
    reel = await Journey(stack.api_url, "a", said.append).run(video, tmp_path / "reels" / "mine.mp4")
    assert (reel.frame_count, reel.width, reel.height) == tuple(read_mp4(reel.path.read_bytes()))
    assert reel.size_bytes == reel.path.stat().st_size
    assert list(reel.seconds) == ["upload", "probe", "edit", "export", "download"]
    assert any(line.startswith("rendering: 60 of 60") for line in said)
    assert (await stack.stored("a", token=False))["reels"] == 1


async def test_a_lost_progress_connection_is_made_again(stack: World, video: Path, tmp_path: Path) -> None:
    cuts = iter([True, True])

    def cut(scope: Scope, message: Message) -> Message:
        if message["type"] == "websocket.send" and next(cuts, False):
            return {"type": "websocket.close", "code": 1012, "reason": "restarted"}
        return message

    stack.api.change_socket(cut)
    said: list[str] = []
    reel = await Journey(stack.api_url, "a", said.append).run(video, tmp_path / "mine.mp4")
    assert reel.path.is_file()
    assert sum("connection lost" in line for line in said) == 2


async def test_a_connection_that_never_holds_ends_with_an_error(stack: World, video: Path, tmp_path: Path) -> None:
    stack.api.change_socket(
        lambda scope, message: (
            {"type": "websocket.close", "code": 1012, "reason": ""} if message["type"] == "websocket.send" else message
        )
    )
    with pytest.raises(DeployError, match="ended 5 times without a result"):
        await Journey(stack.api_url, "a", lambda _: None).run(video, tmp_path / "mine.mp4")


async def test_a_recording_or_an_export_that_fails_says_why(stack: World, video: Path, tmp_path: Path) -> None:
    stack.renderer.broken_kinds = {"framing"}
    with pytest.raises(DeployError, match="ended as failed: the media function broke"):
        await Journey(stack.api_url, "a", lambda _: None).run(video, tmp_path / "mine.mp4")
    stack.renderer.probe_error = MediaError(code="not_a_video", message="this is no video")
    with pytest.raises(DeployError, match="cannot be used: this is no video"):
        await Journey(stack.api_url, "a", lambda _: None).run(video, tmp_path / "mine.mp4")
    assert not (tmp_path / "mine.mp4").exists()


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

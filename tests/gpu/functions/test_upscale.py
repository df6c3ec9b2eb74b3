"""Larger pictures, over HTTP and without a GPU."""

import io
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gpu.contract import MediaError, RenderProgress
from gpu.functions.upscale import UPSCALE, upscale_by
from gpu.functions.upscale_chunk import UpscaleChunkRequest, UpscaleChunkResponse, one_by_one
from gpu.plan.geometry import Rect
from gpu.sample.writer import write_sample
from tests.gpu.functions.asking import upscale, upscaling
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.storage import Storage
from tests.gpu.render.videos import HEIGHT, WIDTH


def test_upscaling_without_a_gpu_says_so_and_keeps_frames_and_sound(stored: Storage, tmp_path: Path) -> None:
    results = [upscale(stored, 2 * WIDTH, 2 * HEIGHT).result for _ in range(2)]
    assert results[0] == results[1]
    assert results[0] is not None
    assert (results[0].width, results[0].height, results[0].frame_count) == (2 * WIDTH, 2 * HEIGHT, 10)
    assert results[0].audio_duration_ms is not None
    assert abs(results[0].audio_duration_ms - results[0].duration_ms) <= 34
    assert (results[0].upscaler.ai, results[0].upscaler.name) == (False, "lanczos-1")
    assert "Lanczos" in results[0].upscaler.reason
    (tmp_path / "large.mp4").write_bytes(stored.objects["large.mp4"])
    whole = Rect(0, 0, WIDTH, HEIGHT)
    assert numbers_in(tmp_path / "large.mp4", [whole] * 10) == list(range(5, 15))


def plane_means(video: bytes, frames: range) -> list[float]:
    """Of Y, U and V over these frames."""
    with av.open(io.BytesIO(video), "r") as container:
        pictures = [frame for number, frame in enumerate(container.decode(video=0)) if number in frames]
    flat = np.stack([frame.to_ndarray(format="yuv420p").ravel() for frame in pictures])
    luma = flat.shape[1] * 2 // 3
    return [float(plane.mean()) for plane in np.split(flat, [luma, luma * 5 // 4], axis=1)]


def test_upscaling_keeps_colours_and_light(storage: Storage, folder: Path) -> None:
    write_sample(folder / "plain.mp4", 1, width=64, height=64)
    storage.objects["game.mp4"] = (folder / "plain.mp4").read_bytes()
    assert upscale(storage, 128, 128).error is None
    before = plane_means(storage.objects["game.mp4"], range(5, 15))
    after = plane_means(storage.objects["large.mp4"], range(10))
    assert after == pytest.approx(before, abs=1.5)
    assert abs(before[1] - 128) > 3
    assert abs(before[2] - 128) > 3


def test_upscaling_to_less_is_refused(stored: Storage) -> None:
    response = upscale(stored, WIDTH, HEIGHT - 2)
    assert response.error is not None
    assert (response.error.code, "large.mp4" in stored.objects) == ("bad_spec", False)
    assert "smaller" in response.error.message


@pytest.mark.parametrize("size", [(640, 640), (640, 366), (320, 184)])
def test_upscaling_to_another_shape_is_refused(storage: Storage, folder: Path, size: tuple[int, int]) -> None:
    storage.objects["game.mp4"] = wide(folder)
    error = upscale(storage, *size).error
    assert error is not None
    assert (error.code, "large.mp4" in storage.objects) == ("bad_spec", False)
    assert "another shape" in error.message


@pytest.mark.parametrize("size", [(322, 180), (322, 182), (324, 182)])
def test_upscaling_allows_for_even_sizes(storage: Storage, folder: Path, size: tuple[int, int]) -> None:
    storage.objects["game.mp4"] = wide(folder)
    result = upscale(storage, *size).result
    assert result is not None
    assert (result.width, result.height) == size


def wide(folder: Path) -> bytes:
    """320 x 180 pixels."""
    write_sample(folder / "wide.mp4", 1, width=320, height=180)
    return (folder / "wide.mp4").read_bytes()


@pytest.fixture(scope="session")
def long_game(folder: Path) -> bytes:
    """45 seconds of few small pictures, which are three chunks, with sound."""
    write_sample(folder / "long.mp4", 45, width=WIDTH, height=HEIGHT, rate=Fraction(3))
    return (folder / "long.mp4").read_bytes()


@dataclass
class Backwards:
    """MapChunks that begins with the last chunk; `changed` may alter its answers."""

    changed: Callable[[int, UpscaleChunkResponse], UpscaleChunkResponse] = lambda number, answer: answer
    closed: bool = False

    def __call__(
        self, requests: Sequence[UpscaleChunkRequest], on_frame: Callable[[int], None]
    ) -> Generator[tuple[int, UpscaleChunkResponse]]:
        try:
            for number, request in list(enumerate(requests))[::-1]:
                ((_, answer),) = one_by_one([request], lambda done: None)
                yield number, self.changed(number, answer)
        finally:
            self.closed = True


def test_the_order_in_which_chunks_are_made_changes_no_byte(storage: Storage, long_game: bytes) -> None:
    storage.objects["game.mp4"] = long_game
    given = upscaling(storage, WIDTH, HEIGHT, 3, 126)
    here = UPSCALE.answer(given)
    made = storage.objects.pop("large.mp4")
    assert upscale_by(Backwards()).answer(given) == here
    assert here.result is not None
    assert (here.result.frame_count, here.result.duration_ms) == (123, 41_000)
    assert storage.objects["large.mp4"] == made


def test_frames_of_all_chunks_follow_each_other(storage: Storage, long_game: bytes, tmp_path: Path) -> None:
    storage.objects["game.mp4"] = long_game
    seen: list[RenderProgress] = []
    assert UPSCALE.answer(upscaling(storage, WIDTH, HEIGHT, 3, 126), seen.append).error is None
    (tmp_path / "large.mp4").write_bytes(storage.objects["large.mp4"])
    assert numbers_in(tmp_path / "large.mp4", [Rect(0, 0, WIDTH, HEIGHT)] * 123) == list(range(3, 126))
    rendered = [one.frames_done for one in seen if one.phase == "rendering"]
    assert rendered == sorted(rendered)
    assert set(rendered) >= set(range(1, 124))
    assert {one.frames_total for one in seen} == {0, 123}


def test_a_fault_of_a_chunk_is_the_answer_and_the_others_are_given_up(storage: Storage, long_game: bytes) -> None:
    storage.objects["game.mp4"] = long_game
    error = MediaError(code="not_a_video", message="broken in the middle")
    chunks = Backwards(lambda number, answer: UpscaleChunkResponse(error=error) if number == 1 else answer)
    response = upscale_by(chunks).answer(upscaling(storage, WIDTH, HEIGHT, 0, 135))
    assert response.error == error
    assert chunks.closed
    assert list(storage.objects) == ["game.mp4"]


def used(answer: UpscaleChunkResponse, **changes: object) -> UpscaleChunkResponse:
    assert answer.result is not None
    upscaler = answer.result.upscaler.model_copy(update=changes)
    return UpscaleChunkResponse(result=answer.result.model_copy(update={"upscaler": upscaler}))


def test_chunks_of_different_upscalers_are_not_joined(storage: Storage, long_game: bytes) -> None:
    storage.objects["game.mp4"] = long_game
    chunks = Backwards(lambda number, answer: used(answer, name=f"network-{number % 2}"))
    with pytest.raises(RuntimeError, match="different upscalers"):
        upscale_by(chunks).answer(upscaling(storage, WIDTH, HEIGHT, 0, 135))
    assert list(storage.objects) == ["game.mp4"]


def test_every_reason_is_told_once_in_the_order_of_the_chunks(storage: Storage, long_game: bytes) -> None:
    storage.objects["game.mp4"] = long_game
    chunks = Backwards(lambda number, answer: used(answer, reason="On an L4." if number < 2 else "On a T4."))
    response = upscale_by(chunks).answer(upscaling(storage, WIDTH, HEIGHT, 0, 135))
    assert response.result is not None
    assert response.result.upscaler.reason == "On an L4. On a T4."

"""One chunk alone: pictures only, bounded, by a network that is loaded once."""

from pathlib import Path
from typing import Any

import pytest

from gpu.functions import upscale_chunk
from gpu.functions.upscale_chunk import UPSCALE_CHUNK, UpscaleChunkResponse
from gpu.plan.geometry import Rect
from gpu.render import gates
from gpu.render.hosts import VARIABLE
from gpu.upscale import choose
from gpu.upscale.choose import Choice
from gpu.upscale.lanczos import LanczosUpscaler
from tests.gpu.render.rendering import numbers_in
from tests.gpu.render.storage import Storage
from tests.gpu.render.videos import HEIGHT, WIDTH


class Network(LanczosUpscaler):
    """As far as it says."""

    name, ai = "network", True


def chunk(storage: Storage, in_frame: int = 5, out_frame: int = 12, **changes: Any) -> UpscaleChunkResponse:
    given = {"progress_key": "key/0", "source_url": storage.url("game.mp4")}
    size = {"width": 2 * WIDTH, "height": 2 * HEIGHT}
    return UPSCALE_CHUNK.answer(
        {**given, "frames": {"in_frame": in_frame, "out_frame": out_frame}, "size": size, **changes}
    )


def test_a_chunk_is_its_pictures_without_sound(stored: Storage, tmp_path: Path) -> None:
    response = chunk(stored)
    assert response.result is not None, response.error
    path = tmp_path / "part.mp4"
    path.write_bytes(response.result.part)
    assert numbers_in(path, [Rect(0, 0, WIDTH, HEIGHT)] * 7) == list(range(5, 12))
    assert gates.measure(path).audio_seconds is None
    assert list(stored.objects) == ["game.mp4"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_too_large_to_hand_over_is_refused_before_it_is_written(
    stored: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscale_chunk, "MOST_PART_BYTES", 1000)
    response = chunk(stored)
    assert response.error is not None
    assert response.error.code == "bad_spec"


def test_the_source_of_a_chunk_is_on_a_listed_host(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1:9")
    response = chunk(stored)
    assert response.error is not None
    assert (response.error.code, stored.requests) == ("source_unreachable", [])


def test_frames_that_the_source_does_not_have_are_refused(stored: Storage) -> None:
    response = chunk(stored, 100, 121)
    assert response.error is not None
    assert response.error.code == "bad_spec"


def test_a_request_for_an_object_is_none_for_a_chunk(stored: Storage) -> None:
    response = chunk(stored, output_url=stored.url("large.mp4"))
    assert response.error is not None
    assert "output_url" in response.error.message


def test_a_network_is_loaded_once_and_lanczos_is_chosen_anew(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = [Choice(LanczosUpscaler(), "the GPU is full"), Choice(Network(), "there is a GPU")]
    monkeypatch.setattr(upscale_chunk, "_kept", [])
    monkeypatch.setattr(choose, "choose_upscaler", lambda: choices.pop(0))
    used = [one.result.upscaler.name for one in (chunk(stored), chunk(stored), chunk(stored)) if one.result]
    assert used == ["lanczos-1", "network", "network"]

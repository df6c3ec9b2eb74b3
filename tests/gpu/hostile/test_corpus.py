"""Every hostile file, through what an upload meets: the backend's renderer and the child processes that it starts."""

import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.jobs.local_renderer import LocalRenderer
from gpu.contract import MediaError, ProbeRequest, RenderRequest
from gpu.plan.spec import EditSpec, ProbeInfo
from gpu.render.limits import GIB, PROBE, RENDER
from tests.gpu.hostile import broken, playlists
from tests.gpu.hostile.corpus import SEED, kinds
from tests.gpu.hostile.seed import Seed
from tests.gpu.hostile.trap import Trap
from tests.gpu.render.storage import SIGNATURE, Storage

ROOT = Path(__file__).parents[3]
FRAMES = 10
PROBE_CPU_SECONDS = 15
RENDER_CPU_SECONDS = 60
RESIDENT_BYTES = {"probe": GIB, "render": 4 * GIB}
"""A 1080p render takes 0.4 GiB and a 4K one 1.2; the corpus has pictures of 8K, which are allowed to be read."""
CODES = {"not_a_video", "unsupported_media", "bad_spec"}


def test_there_are_forty_at_least() -> None:
    assert len(kinds()) >= 40
    assert len(kinds(playlists)) >= 12


def test_the_same_number_makes_the_same_files(seed: Seed) -> None:
    """From the same recordings: an MKV carries a random number of its own."""
    first, second = (replace(seed, chance=random.Random(SEED)) for _ in range(2))
    for make in kinds(playlists, broken).values():
        assert make(first) == make(second), make.__name__


@pytest.mark.timeout(1200)  # for a hang: of a probe and a render, which end by themselves after 110 s and an hour
@pytest.mark.parametrize("name", kinds())
async def test_it_ends_in_an_answer_within_the_limits(
    name: str, seed: Seed, trapped: Trap, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trapped.bait.parent)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    storage.objects = {name: kinds()[name](seed)}
    trapped.sprung()
    renderer = LocalRenderer(
        (sys.executable, "-m", "tests.gpu.hostile.measured", str(tmp_path)), media_hosts=f"127.0.0.1:{storage.port}"
    )
    probed = await renderer.probe(ProbeRequest(source_url=storage.url(name)))
    assert (probed.info is None) != (probed.error is None)
    outcome: object = probed.error
    if probed.info is not None:
        assert_plausible(probed.info)
        request = extraction(name, probed.info, storage)
        rendered = await renderer.wait(await renderer.start(request), request.progress_key, lambda _: None)
        outcome = rendered.error
        if rendered.result is not None:
            assert rendered.result.size_bytes == len(storage.objects["result"]) < 64 << 20
    if isinstance(outcome, MediaError):
        assert_for_people(outcome)
        assert "result" not in storage.objects
    for note in notes(tmp_path):
        assert note["resident_bytes"] < RESIDENT_BYTES[note["verb"]], note
        assert note["cpu_seconds"] < (PROBE_CPU_SECONDS if note["verb"] == "probe" else RENDER_CPU_SECONDS), note
    assert len(notes(tmp_path)) == 1 + (probed.info is not None)
    assert trapped.sprung() == []


def extraction(name: str, info: ProbeInfo, storage: Storage) -> RenderRequest:
    return RenderRequest(
        progress_key="key",
        kind="extract",
        spec=EditSpec.of_clip(in_frame=0, out_frame=min(FRAMES, info.frame_count)),
        source_urls=(storage.url(name),),
        output_url=storage.url("result"),
    )


def assert_plausible(info: ProbeInfo) -> None:
    assert 16 <= min(info.width, info.height) <= max(info.width, info.height) <= 8192
    assert 0 < info.frame_count <= 6 * 3600 * 120
    assert 0 < info.fps_num / info.fps_den <= 120


def assert_for_people(error: MediaError) -> None:
    """A code of its own, a sentence, and neither a secret nor the insides of the program."""
    assert error.code in CODES, error
    assert 15 < len(error.message) < 200
    for inside in (SIGNATURE, "127.0.0.1", "Traceback", "Error(", "<", "0x"):
        assert inside not in error.message


def notes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def test_the_limits_leave_room_for_what_is_allowed() -> None:
    assert PROBE.memory_bytes >= RESIDENT_BYTES["probe"]
    assert RENDER.memory_bytes >= RESIDENT_BYTES["render"]

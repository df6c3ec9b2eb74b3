"""What every upscaler keeps to, and what the network's one adds: tiles, batches and fp16 that nobody can see."""

import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from gpu.plan.geometry import Size
from gpu.render.errors import MediaFailure
from gpu.upscale.lanczos import LanczosUpscaler
from gpu.upscale.spandrel_model import SpandrelUpscaler, Tuning
from gpu.upscale.tiles import tile_picture
from gpu.upscale.upscaler import RgbBatch, Upscaler
from tests.gpu.upscale.networks import save_compact, save_esrgan

SMALL_TILES = Tuning(tile=32, margin=8, batch=5)
Load = Callable[..., SpandrelUpscaler]


@pytest.fixture(scope="module")
def compact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_compact(tmp_path_factory.mktemp("networks") / "compact.pth")


def on_cpu(path: Path, tuning: Tuning = SMALL_TILES, *, half: bool = False) -> SpandrelUpscaler:
    return SpandrelUpscaler(path, "random", device="cpu", half=half, tuning=tuning)


def _lanczos(_: pytest.FixtureRequest) -> Upscaler:
    return LanczosUpscaler()


def _network(request: pytest.FixtureRequest) -> Upscaler:
    return on_cpu(request.getfixturevalue("compact"))


@pytest.fixture(params=[_lanczos, _network], ids=["lanczos", "network"])
def upscaler(request: pytest.FixtureRequest) -> Upscaler:
    made: Upscaler = request.param(request)
    return made


@pytest.fixture
def pictures() -> RgbBatch:
    """Smooth, so that scaling can be compared; three that differ."""
    noise = np.random.default_rng(20260321).normal(128, 120, (3, 50, 70, 3))
    return np.stack([np.clip(cv2.GaussianBlur(one, (0, 0), 2) * 2 - 128, 0, 255) for one in noise]).astype(np.uint8)


@pytest.mark.parametrize("size", [Size(280, 200), Size(140, 100), Size(187, 131), Size(70, 50), Size(700, 500)])
def test_pictures_have_the_size_that_is_asked_for(upscaler: Upscaler, pictures: RgbBatch, size: Size) -> None:
    larger = upscaler.upscale(pictures, size)
    assert larger.shape == (3, size.height, size.width, 3)
    assert larger.dtype == np.uint8


def test_a_picture_is_the_same_in_every_batch(upscaler: Upscaler, pictures: RgbBatch) -> None:
    size = Size(280, 200)
    together = upscaler.upscale(pictures, size)
    for number in range(3):
        alone = upscaler.upscale(pictures[number : number + 1], size)[0]
        assert _largest_difference(alone, together[number]) <= 1
    assert _largest_difference(together[0], together[1]) > 50


@pytest.mark.parametrize("size", [Size(69, 50), Size(70, 49)])
def test_a_smaller_size_is_refused(upscaler: Upscaler, pictures: RgbBatch, size: Size) -> None:
    with pytest.raises(ValueError, match="smaller"):
        upscaler.upscale(pictures, size)


def test_only_batches_of_rgb_pictures_are_taken(upscaler: Upscaler, pictures: RgbBatch) -> None:
    for wrong in (pictures[0], pictures[..., :1], pictures.astype(np.uint16)):
        with pytest.raises(ValueError, match="no batch of RGB pictures"):
            upscaler.upscale(wrong, Size(280, 200))  # type: ignore[arg-type]  # what the test is about


def test_lanczos_says_that_it_is_none_and_keeps_the_picture(pictures: RgbBatch) -> None:
    upscaler = LanczosUpscaler()
    assert (upscaler.name, upscaler.ai) == ("lanczos-1", False)
    larger = upscaler.upscale(pictures, Size(280, 200))
    back = [cv2.resize(one, (70, 50), interpolation=cv2.INTER_AREA) for one in larger]
    assert np.abs(np.stack(back).astype(int) - pictures).mean() < 1.5


def test_lanczos_is_nearer_to_the_large_picture_than_simpler_ways() -> None:
    """Of a wave known at the small pixels' centres: repeated, linear, cubic, Lanczos.

    Not of means over blocks: they flatten the wave, and cubic scaling, which sharpens, would make up for it by chance.
    """
    rows, columns = np.mgrid[:240, :240]
    large = 128 + 100 * np.sin(columns / 4.2) * np.sin(rows / 4.6)
    down, across = np.mgrid[:60, :60] * 4 + 1.5
    small = (128 + 100 * np.sin(across / 4.2) * np.sin(down / 4.6)).round().astype(np.uint8)
    rgb = np.repeat(small[..., None], 3, axis=2)
    (larger,) = LanczosUpscaler().upscale(rgb[None], Size(240, 240))
    inside = slice(20, -20)

    def miss(picture: RgbBatch) -> float:
        return float(np.abs(picture.astype(float) - large[..., None])[inside, inside].mean())

    for simpler in (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        assert miss(larger) < miss(np.asarray(cv2.resize(rgb, (240, 240), interpolation=simpler), np.uint8))


def test_without_its_libraries_the_network_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpu.weights import libraries

    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(libraries, "import_module", missing)
    with pytest.raises(MediaFailure, match="upscaling with a network needs torch, which is not installed here"):
        on_cpu(tmp_path / "network.pth")


def test_tiles_give_what_the_whole_picture_gives(compact: Path, pictures: RgbBatch) -> None:
    """The network looks 5 pixels far and the margin is 8, so that the seams show nowhere, borders included."""
    size = Size(280, 200)
    whole = on_cpu(compact, Tuning(tile=128, margin=8)).upscale(pictures, size)
    for tuning in (SMALL_TILES, Tuning(tile=24, margin=5, batch=1), Tuning(tile=40, margin=8, batch=64)):
        assert _largest_difference(on_cpu(compact, tuning).upscale(pictures, size), whole) <= 1


def test_a_margin_narrower_than_the_network_looks_shows(compact: Path, pictures: RgbBatch) -> None:
    """Or the test above could not fail."""
    size = Size(280, 200)
    whole = on_cpu(compact, Tuning(tile=128, margin=8)).upscale(pictures, size)
    assert _largest_difference(on_cpu(compact, Tuning(tile=24, margin=0)).upscale(pictures, size), whole) > 2


def test_the_default_margin_covers_the_default_network_and_a_tile_what_becomes_1080p() -> None:
    """realesr-general-x4v3 has 32 convolutions between the first and the last."""
    assert Tuning().margin >= 1 + 32 + 1
    assert len(tile_picture(Size(1920 // 4, 1080 // 4), Tuning().tile, Tuning().margin).tiles) == 1


def test_the_result_is_the_networks_own(compact: Path, pictures: RgbBatch) -> None:
    """Against the model as spandrel alone runs it: channels in order, levels scaled and rounded."""
    torch, spandrel = pytest.importorskip("torch"), pytest.importorskip("spandrel")
    model = spandrel.ModelLoader(device="cpu").load_from_file(compact).eval()
    given = torch.from_numpy(pictures[:1].astype(np.float32) / 255).permute(0, 3, 1, 2)
    expected = (model(given)[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    (larger,) = on_cpu(compact).upscale(pictures[:1], Size(280, 200))
    assert _largest_difference(larger, expected) <= 1
    assert np.mean(larger != expected) < 0.01
    assert np.ptp(expected) > 50


def test_another_size_than_the_networks_own_leaves_black_and_white_as_they_are(tmp_path: Path) -> None:
    """Scaling overshoots at edges: without a limit white would become black."""
    upscaler = on_cpu(save_compact(tmp_path / "empty.pth", empty=True))
    picture = np.zeros((1, 50, 70, 3), np.uint8)
    picture[:, :, 35:] = 255
    (own,) = upscaler.upscale(picture, Size(280, 200))
    assert np.array_equal(own, np.repeat(np.repeat(picture[0], 4, 0), 4, 1))
    (other,) = upscaler.upscale(picture, Size(187, 131))
    assert other[:, :93].max() < 40
    assert other[:, 94:].min() > 215


def test_the_large_architecture_is_loaded_too(tmp_path: Path, pictures: RgbBatch) -> None:
    upscaler = on_cpu(save_esrgan(tmp_path / "esrgan.pth"), Tuning(tile=48, margin=16))
    assert (upscaler.factor, upscaler.ai) == (4, True)
    assert "esrgan-x4-fp32-random" in upscaler.name
    assert upscaler.upscale(pictures[:1], Size(280, 200)).shape == (1, 200, 280, 3)


def test_fp16_gives_what_fp32_gives(compact: Path, pictures: RgbBatch) -> None:
    exact, rounded = on_cpu(compact), on_cpu(compact, half=True)
    assert (exact.half, rounded.half) == (False, True)
    assert "-fp16-" in rounded.name
    size = Size(280, 200)
    assert _largest_difference(exact.upscale(pictures, size), rounded.upscale(pictures, size)) <= 2


def test_a_network_that_overflows_in_fp16_runs_in_fp32_with_all_its_digits(
    tmp_path: Path, pictures: RgbBatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = save_compact(tmp_path / "overflow.pth", overflow=True)
    with caplog.at_level(logging.WARNING):
        cautious = on_cpu(path, half=True)
    assert not cautious.half
    assert "-fp32-" in cautious.name
    assert "it runs in fp32" in caplog.text
    size = Size(280, 200)
    assert _largest_difference(cautious.upscale(pictures, size), on_cpu(path).upscale(pictures, size)) == 0


@pytest.mark.parametrize(("scale", "channels", "message"), [(1, 3, "does not upscale"), (4, 1, "RGB")])
def test_what_is_no_upscaler_of_rgb_is_refused(tmp_path: Path, scale: int, channels: int, message: str) -> None:
    path = save_compact(tmp_path / "other.pth", scale=scale, channels=channels)
    with pytest.raises(ValueError, match=message):
        on_cpu(path)


def _largest_difference(one: RgbBatch, other: RgbBatch) -> int:
    return int(np.abs(one.astype(int) - other).max())

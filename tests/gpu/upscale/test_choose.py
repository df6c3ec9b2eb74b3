"""The start-up probe: a network only where it can run, and the reason always told."""

import hashlib
import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from gpu.plan.geometry import Size
from gpu.upscale import choose as room
from gpu.upscale.choose import choose_upscaler
from gpu.upscale.spandrel_model import SpandrelUpscaler
from gpu.upscale.upscaler import RgbBatch
from gpu.weights import libraries
from gpu.weights.lock import WeightsError

NAME = "network"


def machine(monkeypatch: pytest.MonkeyPatch, *, missing: str = "", gpu: str | None = "Test GPU") -> None:
    """A machine with these libraries and this GPU, as far as the probe can tell."""
    cuda = SimpleNamespace(is_available=lambda: gpu is not None, get_device_name=lambda _: gpu)

    def import_known(name: str) -> object:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return SimpleNamespace(cuda=cuda)

    monkeypatch.setattr(libraries, "import_module", import_known)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    content = b"weights"
    (tmp_path / "network.pth").write_bytes(content)
    entry = {
        "name": NAME,
        "file": "network.pth",
        "url": "https://weights.example/network.pth",
        "licence": "MIT",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    path = tmp_path / "weights.lock"
    path.write_text(json.dumps({"weights": [entry]}))
    return path


class Network:
    """In place of the one that needs torch; `probed` has what the last one was asked."""

    ai, factor = True, 4
    probed: ClassVar[list[tuple[Any, ...]]] = []

    def __init__(self, weights: Path, weights_name: str, tuning: object = None) -> None:
        self.name = f"test-{weights_name}"
        self.probed.clear()

    def upscale(self, pictures: RgbBatch, size: Size) -> RgbBatch:
        self.probed.append((pictures.shape, size))
        return pictures


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"missing": "torch"}, "AI upscaling needs torch, which is not installed here"),
        ({"missing": "spandrel"}, "AI upscaling needs spandrel, which is not installed here"),
        ({"gpu": None}, "there is no GPU here"),
    ],
    ids=["no torch", "no spandrel", "no gpu"],
)
def test_without_a_gpu_it_is_lanczos_and_the_result_says_so(
    monkeypatch: pytest.MonkeyPatch, lock: Path, state: dict[str, Any], reason: str
) -> None:
    machine(monkeypatch, **state)
    used = choose_upscaler(NAME, lock.parent, lock=lock).used
    assert (used.name, used.ai) == ("lanczos-1", False)
    assert used.reason == f"Enlarged without AI (Lanczos): {reason}."


def test_with_a_gpu_it_is_the_network_after_one_tile(monkeypatch: pytest.MonkeyPatch, lock: Path) -> None:
    machine(monkeypatch)
    monkeypatch.setattr(room, "SpandrelUpscaler", Network)
    choice = choose_upscaler(NAME, lock.parent, lock=lock)
    assert Network.probed == [((1, 64, 64, 3), Size(256, 256))]
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert choice.used.model_dump() == {
        "name": f"test-network-{sha256[:12]}",
        "ai": True,
        "reason": "AI upscaling with network on Test GPU.",
    }


@pytest.mark.parametrize("stage", ["loading", "running"])
def test_a_gpu_on_which_the_network_fails_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, lock: Path, stage: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available")

    machine(monkeypatch)
    monkeypatch.setattr(room, "SpandrelUpscaler", fail if stage == "loading" else Network)
    monkeypatch.setattr(Network, "upscale", fail)
    used = choose_upscaler(NAME, lock.parent, lock=lock).used
    assert (used.name, used.ai) == ("lanczos-1", False)
    assert "the network does not run on this machine's Test GPU" in used.reason
    assert "CUDA" not in used.reason


def test_a_gpu_without_the_right_weights_is_a_mistake_and_no_reason_for_lanczos(
    monkeypatch: pytest.MonkeyPatch, lock: Path
) -> None:
    machine(monkeypatch)
    monkeypatch.setattr(room, "SpandrelUpscaler", Network)
    (lock.parent / "network.pth").write_bytes(b"WEIGHTS")
    with pytest.raises(WeightsError, match="not the file that the lock has"):
        choose_upscaler(NAME, lock.parent, lock=lock)


def test_this_machine_has_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a stand-in: wherever no GPU is, whatever is installed."""
    if _has_gpu():
        pytest.skip("there is a GPU here: its image needs weights")
    choice = choose_upscaler()
    assert not isinstance(choice.upscaler, SpandrelUpscaler)
    assert choice.upscaler.upscale(np.zeros((1, 8, 8, 3), np.uint8), Size(16, 16)).shape == (1, 16, 16, 3)


def _has_gpu() -> bool:
    try:
        return bool(import_module("torch").cuda.is_available())
    except ModuleNotFoundError:
        return False

"""What `python -m bench.gpu` does where there is no GPU, and what it keeps where there is one."""

from pathlib import Path

import pytest

from bench.figure import Figure
from bench.gpu import __main__ as command
from bench.gpu.record import write_record
from gpu.render.engines.gpu_probe import Gpu
from gpu.render.engines.unable import EngineUnable


def test_without_a_gpu_one_line_is_said_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_gpu() -> Gpu:
        raise EngineUnable("there is no NVIDIA driver here")

    monkeypatch.setattr(command, "this_gpu", no_gpu)
    monkeypatch.setattr(command, "RECORD", tmp_path / "gpu-bench.md")
    assert command.main() == 0
    assert capsys.readouterr().out == "No GPU figures: there is no NVIDIA driver here.\n"
    assert not list(tmp_path.iterdir())


def test_the_record_names_device_and_every_figure(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is only on images for GPUs")
    page = tmp_path / "gpu-bench.md"
    card = Gpu("Tesla T4", "libx264", "encoded by x264, because NVENC is broken")
    write_record(page, card, [Figure("nvdec engine", 50, "fps", 100, 0.7, at_most=False)], ["spandrel is missing"])
    text = page.read_text()
    for part in ("Tesla T4", "NVENC is broken", "| nvdec engine | 50.00 fps | 100.00 fps | 0.50 |", "| no |"):
        assert part in text
    assert "Left out: spandrel is missing." in text

"""The last result of the GPU bench as a page of docs/, with the device's name."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import av

from bench.figure import Figure
from gpu.render.engines.gpu_probe import Gpu
from gpu.weights.libraries import library


def write_record(path: Path, gpu: Gpu, figures: Sequence[Figure], missing: Sequence[str]) -> None:
    """Replaces the page."""
    path.write_text("\n".join(_lines(gpu, figures, missing)) + "\n")


def _lines(gpu: Gpu, figures: Sequence[Figure], missing: Sequence[str]) -> Iterable[str]:
    torch = library("torch", "the bench")
    yield "# Figures measured on a GPU"
    yield ""
    yield (
        f"The last run of `make bench-gpu`: {gpu.name}, {datetime.now(UTC):%Y-%m-%d}, torch {torch.__version__}, "
        f"PyAV {av.__version__}; {gpu.encoder_reason}."
    )
    yield ""
    yield "| figure | value | baseline | ratio | limit | kept |"
    yield "|---|---|---|---|---|---|"
    for figure in figures:
        side = "at most" if figure.at_most else "at least"
        yield (
            f"| {figure.name} | {figure.value:.2f} {figure.unit} | {figure.baseline:.2f} {figure.unit} "
            f"| {figure.ratio:.2f} | {side} {figure.limit:g} | {'yes' if figure.ok else 'no'} |"
        )
    for reason in missing:
        yield ""
        yield f"Left out: {reason}."

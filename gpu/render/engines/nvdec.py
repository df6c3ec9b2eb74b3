"""The GPU engine: NVDEC decodes, torch paints, NVENC encodes, or x264 where the card has no NVENC.

Parts are the reference engine's, each decoded and painted in one thread and encoded in another, side by side in one
process: CUDA does not survive a fork, and decoder, torch and encoders let go of the interpreter. The caller's thread
only counts, so that its signals are heard.
"""

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import av
from av.video.frame import VideoFrame

from gpu.plan.render_plan import RenderPlan
from gpu.render.engines.gpu_probe import CUDA, Encoder, Gpu
from gpu.render.engines.gpu_shelf import GpuShelf
from gpu.render.engines.nvenc_writer import NvencWriter
from gpu.render.engines.torch_painter import painted
from gpu.render.engines.unable import EngineUnable
from gpu.render.errors import MediaFailure
from gpu.render.finish import finishing
from gpu.render.join import Part
from gpu.render.overlap import overlapped
from gpu.render.parts import parts
from gpu.render.shelf import Shelf
from gpu.render.sources import Sources
from gpu.render.writer import PartWriter

ENGINE = "nvdec-2"
"""Name of the engine and of its version; another version may write other bytes for the same plan."""
_PICTURES_AHEAD = 16
_WRITERS: dict[Encoder, type[PartWriter]] = {"h264_nvenc": NvencWriter, "libx264": PartWriter}


class Machine(NamedTuple):
    """Where the work is done; `cpu` needs no GPU: it decodes in software and paints with torch on the CPU."""

    device: Literal["cuda", "cpu"]
    encoder: Encoder

    @classmethod
    def of(cls, gpu: Gpu) -> "Machine":
        return cls("cuda", gpu.encoder)


def render(plan: RenderPlan, sources: Sources, path: Path, on_frame: Callable[[int], None], machine: Machine) -> None:
    """Writes the result to `path`, and what it needs on the way beside it; `on_frame` gets the frames written so far.

    An exception, the caller's own included, leaves a part of a file at `path`. Raises MediaFailure, and EngineUnable
    for what the GPU does not do, a video that it cannot decode for one.
    """
    ranges = parts(plan)
    files = [path.with_name(f"{path.stem}.{number}.part") for number in range(len(ranges))]
    try:
        jobs = [_Job(plan, frames, file, machine) for frames, file in zip(ranges, files, strict=True)]
        with finishing(plan, sources, path) as finish:
            _encode(jobs, sources, on_frame)
            finish([Part(file, frames.start) for file, frames in zip(files, ranges, strict=True)])
    finally:
        for file in files:
            file.unlink(missing_ok=True)


class _Stopped(Exception):
    """Another part failed, or the caller did."""


class _Job(NamedTuple):
    plan: RenderPlan
    frames: range
    file: Path
    machine: Machine

    def encode(self, sources: Sources, on_frame: Callable[[], None]) -> None:
        shelf = (GpuShelf if self.machine.device == CUDA else Shelf)(sources)
        ready = overlapped(self._pictures(shelf), _PICTURES_AHEAD, shelf.abort)
        with ready as pictures, _WRITERS[self.machine.encoder](self.file, self.plan.size, self.plan.rate) as out:
            for picture in pictures:
                out.add(picture)
                on_frame()

    def _pictures(self, shelf: Shelf) -> Generator[VideoFrame]:
        device = self.machine.device
        try:
            with shelf:
                yield from painted(self.plan, self.frames, shelf, device)
        except (av.FFmpegError, RuntimeError) as error:
            raise EngineUnable(f"decoding or painting failed ({error})") from error
        except MediaFailure as failure:
            # A picture that NVDEC cannot decode looks like a damaged file; the reference engine can tell.
            if device == CUDA and failure.code == "unsupported_media":
                raise EngineUnable(f"decoding failed ({failure})") from failure
            raise


def _encode(jobs: Sequence[_Job], sources: Sources, on_frame: Callable[[int], None]) -> None:
    """Encodes all parts at a time; one that fails, or the caller, stops the others."""
    news: queue.SimpleQueue[bool] = queue.SimpleQueue()
    stopped = threading.Event()

    def written() -> None:
        if stopped.is_set():
            raise _Stopped
        news.put(True)

    with ThreadPoolExecutor(len(jobs), "part") as pool:
        running = [pool.submit(job.encode, sources, written) for job in jobs]

        def ended(part: "Future[None]") -> None:
            if part.exception() is not None:
                stopped.set()
            news.put(False)

        for part in running:
            part.add_done_callback(ended)
        try:
            _count(news, len(jobs), on_frame)
        finally:
            stopped.set()
    errors = [error for part in running if (error := part.exception()) is not None]
    for error in sorted(errors, key=lambda one: isinstance(one, _Stopped)):
        raise error


def _count(news: "queue.SimpleQueue[bool]", parts: int, on_frame: Callable[[int], None]) -> None:
    """Returns when all parts have ended."""
    frames = 0
    while parts:
        if news.get():
            frames += 1
            on_frame(frames)
        else:
            parts -= 1

"""The engine of plain cuts and text: one clip of a local MP4 at its own speed and size, drawn by an FFmpeg program.

The program makes the pictures only; sound and file are those of every engine. Whatever it would draw otherwise than the
reference engine, from the plan or from the file, is refused before it starts.
"""

import os
from collections.abc import Callable, Generator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from gpu.plan.geometry import Size
from gpu.plan.render_plan import RenderPlan
from gpu.render.engines.ffmpeg_command import DEMUXER, PlateImage, Video, arguments, obstacle
from gpu.render.engines.ffmpeg_program import Encoding
from gpu.render.engines.plate import Plate, plate
from gpu.render.engines.unable import EngineUnable
from gpu.render.finish import finishing
from gpu.render.join import Part
from gpu.render.media import Media, open_media
from gpu.render.overlap import overlapped
from gpu.render.picture import PIXEL_FORMAT, normalised
from gpu.render.sources import LocalFile, LocalSources, Sources
from gpu.render.timing import find_grid

ENGINE = "ffmpeg-2"
"""Name of the engine and of its version; another version may write other bytes for the same plan."""
_PACKETS_AHEAD = 32
_OPAQUE = 255


def can_render(plan: RenderPlan, sources: Sources) -> str | None:
    """Why this engine does not make the plan of these sources, as a clause; None if it does, as far as the plan tells.

    The file is looked at when it is rendered.
    """
    if (reason := obstacle(plan)) is not None:
        return reason
    if not isinstance(sources, LocalSources):
        return "its source is not a local file, and an FFmpeg program gets no network"
    return None


def render(plan: RenderPlan, sources: Sources, path: Path, on_frame: Callable[[int], None], program: Path) -> None:
    """Writes the result to `path`, and what it needs on the way beside it; `on_frame` gets the frames written so far.

    An exception, the caller's own included, leaves a part of a file at `path`. Raises MediaFailure, and EngineUnable
    for what the program does not draw.
    """
    if (reason := can_render(plan, sources)) is not None:
        raise EngineUnable(reason)
    part, image = path.with_name(f"{path.stem}.part"), path.with_name(f"{path.stem}.plate")
    try:
        video = _looked_at(plan, sources)
        command = arguments(plan, video, _written(plan, image))
        with finishing(plan, sources, path) as finish:
            written = 0
            with (
                Encoding(program, command) as encoding,
                overlapped(_kept(encoding, part), _PACKETS_AHEAD, encoding.abort) as counts,
            ):
                for written in counts:
                    on_frame(written)
            if written != plan.frame_count:
                raise EngineUnable(f"ffmpeg wrote {written} of {plan.frame_count} frames")
            finish([Part(part, 0)])
    finally:
        part.unlink(missing_ok=True)
        image.unlink(missing_ok=True)


def _kept(encoding: Encoding, part: Path) -> Generator[int]:
    """Stores what the program encodes and counts it."""
    with av.open(str(part), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream: VideoStream | None = None
        begin = 0
        for written, packet in enumerate(encoding.packets(), 1):
            if packet.pts is None or packet.dts is None:
                raise EngineUnable("ffmpeg wrote a picture without a time")
            if stream is None:
                stream = container.add_stream_from_template(packet.stream)
                begin = packet.pts  # reordered pictures move it: no time in the stream is below 0
            packet.pts -= begin
            packet.dts -= begin
            packet.stream = stream
            container.mux(packet)
            yield written


def _looked_at(plan: RenderPlan, sources: Sources) -> Video:
    """Raises MediaFailure for a file that is refused, EngineUnable for one that FFmpeg would show otherwise."""
    index = plan.clips[0].source

    def looked_at() -> Generator[Video]:
        with closing(sources.open(index)) as file, open_media(file) as media:
            if not isinstance(file, LocalFile):
                raise EngineUnable("its source is not a local file")
            if (reason := _file_obstacle(media)) is not None:
                raise EngineUnable(reason)
            begin = Fraction(media.container.start_time or 0, av.time_base)
            yield Video(Path(os.fspath(file.name)).resolve(), media.video.index, begin, media.zero)

    with overlapped(looked_at(), 1) as videos:
        return next(videos)


def _file_obstacle(media: Media) -> str | None:
    if DEMUXER not in media.container.format.name.split(","):
        return "the file is not an MP4 or MOV"
    if media.rotation or media.mirrored or (media.video.sample_aspect_ratio or 1) != 1:
        return "its pictures are turned or not of square pixels"
    if media.interlaced:
        return "it is interlaced"
    if normalised(media.first) is not media.first or media.first.format.name != PIXEL_FORMAT:
        return "its colours are not eight bits of bt709"
    if find_grid(media).variable:
        return "its frame rate varies"
    return None


def _written(plan: RenderPlan, path: Path) -> PlateImage | None:
    """The caption as an image at `path`."""
    (clip,) = plan.clips
    caption = plate(plan.size, clip.caption) if clip.caption is not None else None
    if caption is None:
        return None
    path.write_bytes(_raw(caption))
    left, top, width, height = caption.box
    return PlateImage(path.resolve(), left, top, Size(width, height))


def _raw(caption: Plate) -> bytes:
    """Y, U, V and alpha: the colour that gives what a plane adds when it is laid over black with its opacity."""
    opacities = [_OPAQUE - one.kept.astype(np.float32) for one in caption.planes]
    colours = [
        np.rint(one.added * np.float32(_OPAQUE) / np.maximum(opacity, 1)).clip(0, _OPAQUE)
        for one, opacity in zip(caption.planes, opacities, strict=True)
    ]
    return b"".join(each.astype(np.uint8).tobytes() for each in (*colours, opacities[0]))

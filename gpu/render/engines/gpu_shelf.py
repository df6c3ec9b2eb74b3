"""Sources whose pictures NVDEC decodes, where the codec allows it, and that stay on the GPU.

`open_media` looks at a file first, in software, and refuses what it must; then the same file is opened once more with
the same short lists. Interlaced video is decoded in software: its fields are put together in memory.
"""

from contextlib import ExitStack
from dataclasses import dataclass

import av

from gpu.render.engines.gpu_probe import gpu_decoding
from gpu.render.media import AUDIO_DECODERS, DEMUXERS, MOST_PIXELS, MOST_STREAMS, VIDEO_DECODERS, Media
from gpu.render.shelf import Shelf


@dataclass(frozen=True)
class GpuMedia(Media):
    """Opened for NVDEC; a codec that it does not know is decoded in software all the same."""


class GpuShelf(Shelf):
    """A context, as Shelf is. What it lends has no sound."""

    def _take(self, index: int) -> tuple[Media, ExitStack]:
        media, opened = super()._take(index)
        if media.interlaced or isinstance(media, GpuMedia):
            return media, opened
        with opened:
            file = self._open(index)
            opened.callback(self._close, file)
            options = {
                "format_whitelist": DEMUXERS,
                "protocol_whitelist": "none",
                "codec_whitelist": f"{VIDEO_DECODERS},{AUDIO_DECODERS}",
                "max_streams": str(MOST_STREAMS),
                "max_pixels": str(MOST_PIXELS),
            }
            container = opened.enter_context(
                av.open(file, "r", options=options, metadata_errors="replace", hwaccel=gpu_decoding(fallback=True))
            )
            video = next(stream for stream in container.streams.video if stream.index == media.video.index)
            gpu_media = GpuMedia(container, video, None, media.first, media.zero, media.file_bytes)
            return gpu_media, opened.pop_all()

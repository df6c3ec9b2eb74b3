"""Writes a part's pictures with NVENC; everything else of the file is as the reference writer makes it.

Pictures come from memory and NVENC uploads them. Parts begin with an IDR picture and have no reordered pictures.
"""

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.plan.geometry import Size
from gpu.render.engines.unable import EngineUnable
from gpu.render.picture import BT709, PIXEL_FORMAT, TV_RANGE
from gpu.render.writer import KEYFRAME_SECONDS, PartWriter

OPTIONS = {"preset": "p5", "rc": "vbr", "cq": "20", "b:v": "0", "profile": "high"}
"""Constant quality; not compared with x264's CRF 20 on a GPU yet."""


class NvencWriter(PartWriter):
    """A context, as PartWriter is. Raises EngineUnable when NVENC refuses."""

    def _encoded(self, frame: VideoFrame | None) -> "list[Packet[VideoStream]]":
        try:
            return self._stream.encode(frame)
        except av.FFmpegError as error:
            raise EngineUnable(f"NVENC failed ({error.strerror})") from error

    def _video_stream(self, size: Size) -> VideoStream:
        stream = self._container.add_stream("h264_nvenc", rate=self._rate, options=dict(OPTIONS))
        stream.width, stream.height, stream.pix_fmt = size.width, size.height, PIXEL_FORMAT
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = TV_RANGE
        context.gop_size, context.max_b_frames = round(KEYFRAME_SECONDS * self._rate), 0
        return stream

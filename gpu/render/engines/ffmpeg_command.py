"""The command line with which an FFmpeg program draws a plain plan. A pure function; nothing is run here.

Frames are counted by FFmpeg's `fps` filter on the grid that the reader uses, from the plan's first frame on, so the cut
is exact to the frame; the seek goes a quarter of a second further back and only saves work. Text is an image.
"""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from gpu.plan.geometry import Rect, Size
from gpu.plan.render_plan import RenderPlan
from gpu.render.media import AUDIO_DECODERS, DECODER_THREADS, MOST_PIXELS, MOST_STREAMS, VIDEO_DECODERS
from gpu.render.picture import PIXEL_FORMAT
from gpu.render.writer import CRF, KEYFRAME_SECONDS, encoding

DEMUXER = "mov"
"""MP4 and MOV only: FFmpeg seeks to the right keyframe in them, because they have an index."""
FORMAT = "mp4"
"""Of what it writes to its standard output, in fragments of a frame: exact timestamps, no seeking."""
PLATE_FORMAT = "yuva420p"
_ENCODER_THREADS = 4
_SEEK_BACK = Fraction(1, 4)
_TAGS = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"


class Video(NamedTuple):
    """A local file, its picture stream, the times of the file's begin and of frame 0 on the container's clock."""

    path: Path
    stream: int
    begin: Fraction
    zero: Fraction


class PlateImage(NamedTuple):
    """A raw image of PLATE_FORMAT that lies at `left`, `top`; its colours are not multiplied by its alpha."""

    path: Path
    left: int
    top: int
    size: Size


def obstacle(plan: RenderPlan) -> str | None:
    """Why FFmpeg would not draw this plan as the reference engine does, as a clause; None when it would."""
    if len(plan.clips) != 1:
        return f"it has {len(plan.clips)} clips"
    (clip,) = plan.clips
    if any(ellipse is not None for ellipse in plan.ellipses):
        return "it has a highlight"
    if plan.rate != plan.sources[clip.source].rate:
        return "its rate is not the source's"
    frames = clip.source_frames
    if list(frames) != list(range(frames[0], frames[0] + len(frames))):
        return "its speed is not 100 %"
    if any(opacity != 1 for opacity in clip.opacities):
        return "it fades"
    if any(crop != clip.crops[0] for crop in clip.crops):
        return "its crop moves"
    return _crop_obstacle(clip.crops[0], plan.size)


def arguments(plan: RenderPlan, video: Video, caption: PlateImage | None) -> list[str]:
    """What follows the program's name; the plan is one for which there is no `obstacle`."""
    return [
        *("-hide_banner", "-nostdin", "-v", "error", "-xerror", "-copyts"),
        *_input(plan, video),
        *(_image(caption, plan.rate) if caption is not None else ()),
        *("-filter_complex", _graph(plan, video, caption), "-map", "[drawn]"),
        *("-frames:v", str(plan.frame_count), "-fps_mode", "passthrough", "-enc_time_base", str(1 / plan.rate)),
        *_encoder(plan),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"),
        *("-movflags", "+empty_moov+default_base_moof+frag_every_frame", "-f", FORMAT, "pipe:1"),
    ]


def _crop_obstacle(crop: Rect, size: Size) -> str | None:
    if crop.width != size.width or crop.height != size.height:
        return "its crop is scaled"
    if crop.x % 2 or crop.y % 2:
        return "its crop begins between two samples of colour"
    return None


def _input(plan: RenderPlan, video: Video) -> list[str]:
    seek = video.zero + plan.clips[0].source_frames[0] / plan.rate - _SEEK_BACK - video.begin
    place = ("-noaccurate_seek", "-ss", f"{float(seek):.6f}") if seek > 0 else ()
    return [
        *("-protocol_whitelist", "file", "-f", DEMUXER, "-codec_whitelist", f"{VIDEO_DECODERS},{AUDIO_DECODERS}"),
        *("-max_streams", str(MOST_STREAMS), "-max_pixels", str(MOST_PIXELS), "-threads", str(DECODER_THREADS)),
        *("-noautorotate", *place, "-i", f"file:{video.path}"),
    ]


def _image(caption: PlateImage, rate: Fraction) -> list[str]:
    raw = (
        "-f",
        "rawvideo",
        "-pixel_format",
        PLATE_FORMAT,
        "-video_size",
        f"{caption.size.width}x{caption.size.height}",
    )
    return ["-protocol_whitelist", "file", *raw, "-framerate", str(rate), "-i", f"file:{caption.path}"]


def _graph(plan: RenderPlan, video: Video, caption: PlateImage | None) -> str:
    (clip,) = plan.clips
    crop = clip.crops[0]
    start = video.zero + clip.source_frames[0] / plan.rate
    steps = [
        f"fps=fps={plan.rate}:round=near:start_time={float(start):.6f}",
        "setpts=PTS-STARTPTS",
        f"crop={plan.size.width}:{plan.size.height}:{crop.x:.0f}:{crop.y:.0f}:exact=1",
        _TAGS,
    ]
    source = f"[0:{video.stream}]{','.join(steps)}"
    if caption is None:
        return f"{source}[drawn]"
    over = f"overlay=x={caption.left}:y={caption.top}:format=yuv420"
    return f"{source}[below];[1:0]{_TAGS}[text];[below][text]{over},{_TAGS}[drawn]"


def _encoder(plan: RenderPlan) -> list[str]:
    """As the reference writer's, with a fixed number of threads: another number would write other bytes."""
    rate = ("-g", str(round(KEYFRAME_SECONDS * plan.rate)), "-threads:v", str(_ENCODER_THREADS))
    kind = ("-c:v", "libx264", "-preset", "veryfast", "-crf", str(CRF), "-profile:v", "high", "-pix_fmt", PIXEL_FORMAT)
    return [*kind, *rate, "-x264-params", encoding()]

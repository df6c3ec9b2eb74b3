"""Opens an untrusted media file: demuxers and decoders from a short list, no protocol of FFmpeg, bounded sizes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import atan2, degrees
from typing import Literal, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gpu.plan.geometry import Size
from gpu.render.boxes import is_cut_off
from gpu.render.bt2100 import CURVES
from gpu.render.errors import MediaFailure
from gpu.render.metered import SeekableFile

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,avi"
VIDEO_DECODERS = "h264,hevc,libdav1d,av1,libvpx,vp8,libvpx-vp9,vp9,mpeg4,mpeg2video,mjpeg,prores"
AUDIO_DECODERS = (
    "aac,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,libvorbis,flac,alac,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8"
)
LONGEST_SIDE = 8192
MOST_PIXELS = 7680 * 4320
LONGEST_HOURS = 6
MOST_STREAMS = 64
"""A recorder's file has ten at most; FFmpeg would open a thousand, each with a decoder."""
DECODER_THREADS = 2
_READ_BYTES = 1 << 18
_DOLBY_VISION_TAGS = ("dvh1", "dvhe", "dva1", "dvav", "dav1")
_UNSPECIFIED = 2
_ICTCP = 14
"""Numbers of ITU-T H.273: any property that is not told, and the matrix of BT.2100 that is not Y'CbCr."""
_Linear = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Media:
    """An open file. `zero` is the timestamp of the first picture in seconds: frame 0 of the grid."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    first: VideoFrame
    zero: Fraction
    file_bytes: int

    def seek(self, seconds: Fraction) -> None:
        """Goes to a keyframe at or before `seconds` after the first picture, as far as the container can tell.

        A negative time is the only way to the start of some MPEG-TS files; AVI refuses it.
        """
        stream = (seconds < 0 and self._first_sound) or self.video
        at = int((self.zero + seconds) / (stream.time_base or Fraction(1, 1000)))
        try:
            self.container.seek(at, stream=stream, backward=True)
        except av.FFmpegError:
            if seconds >= 0:
                raise
            self.seek(Fraction(0))

    @property
    def _first_sound(self) -> AudioStream | None:
        """The sound of an MKV that is stored and heard before the first picture: a seek to that passes over it."""
        if self.audio is None or "matroska" not in self.container.format.name:
            return None
        sounds, pictures = self.audio.index_entries, self.video.index_entries
        if not len(sounds) or not len(pictures):
            return None
        # All tracks of an MKV count in the same ticks.
        is_first = sounds[0].pos <= pictures[0].pos and sounds[0].timestamp <= pictures[0].timestamp
        return self.audio if is_first else None

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which a stored picture is turned for display, once mirrored: 0, 90, 180 or 270."""
        (_, x), (_, y) = self._display_matrix
        return round(degrees(atan2(-x, y)) / 90) * 90 % 360

    @property
    def mirrored(self) -> bool:
        """Whether left and right of a stored picture change places before it is turned by `rotation`.

        A flip of top and bottom is this and a turn by 180 degrees.
        """
        (a, b), (c, d) = self._display_matrix
        return a * d - b * c < 0

    @property
    def interlaced(self) -> bool:
        """Whether the first picture consists of two fields; other pictures may differ, the reader looks at each."""
        return self.first.interlaced_frame

    @property
    def transfer(self) -> Literal["sdr", "pq", "hlg"]:
        """The light curve of the first picture."""
        return CURVES.get(self.first.color_trc, "sdr")

    @property
    def _display_matrix(self) -> _Linear:
        """Of the map from stored to displayed pixels, x to the right and y downwards."""
        data = cast(Mapping[Type, bytes], self.first.side_data)  # as PyAV has it; its stubs know motion vectors only
        try:
            stored = np.frombuffer(data[Type.DISPLAYMATRIX], np.int32)
        except (KeyError, ValueError):  # PyAV raises ValueError when a picture also has data of a kind it does not know
            return _turned(-self.first.rotation)
        a, b, _, c, d, _, _, _, _ = stored.tolist()
        return (a, c), (b, d)

    @property
    def display_size(self) -> Size:
        """Size after the pixel shape and the rotation are applied."""
        shape = self.video.sample_aspect_ratio or Fraction(1)
        width, height = round(self.first.width * shape), self.first.height
        return Size(height, width) if self.rotation in (90, 270) else Size(width, height)


@contextmanager
def open_media(file: SeekableFile, decoder_threads: int = DECODER_THREADS) -> Iterator[Media]:
    """Opens a seekable binary file; raises MediaFailure `not_a_video` or `unsupported_media`.

    Inside the block, which is for reading only, FFmpeg's errors become `unsupported_media` too. Want of memory stays a
    MemoryError: it is not always the file's fault.
    """
    decoders = f"{VIDEO_DECODERS},{AUDIO_DECODERS}"
    options = {
        "format_whitelist": DEMUXERS,
        "protocol_whitelist": "none",
        "codec_whitelist": decoders,
        "max_streams": str(MOST_STREAMS),
        "max_pixels": str(MOST_PIXELS),
    }
    try:
        container = av.open(file, "r", options=options, buffer_size=_READ_BYTES, metadata_errors="replace")
    except MemoryError:
        raise
    except (av.FFmpegError, UnicodeError) as error:
        raise MediaFailure(
            "not_a_video", "the file cannot be read as MP4, MOV, MKV, WebM, MPEG-TS or AVI video; it may be damaged"
        ) from error
    try:
        with container:
            file_bytes = _size(file)
            _check_whole(container, file, file_bytes)
            video = _video_stream(container, decoder_threads)
            audio = _audio_stream(container)
            first = _first_frame(container, video)
            media = Media(container, video, audio, first, shown_at(first), file_bytes)
            _check_limits(media)
            _check_colours(media)
            yield media
    except MemoryError:
        raise
    except av.FFmpegError as error:
        reason = f"the video cannot be read ({error.strerror}); it may be damaged, upload it again"
        raise MediaFailure("unsupported_media", reason) from error


def shown_at(frame: VideoFrame) -> Fraction:
    """Seconds on the container's clock; raises ValueError for a picture without a timestamp."""
    if frame.pts is None or frame.time_base is None:
        raise ValueError("the picture has no timestamp; pass over such pictures before")
    return frame.pts * frame.time_base


def _check_whole(container: InputContainer, file: SeekableFile, file_bytes: int) -> None:
    """Refuses an MP4 or MOV that ends within its index: FFmpeg would take the tracks before the cut for all of them."""
    if "mp4" not in container.format.name.split(","):
        return
    position = file.tell()
    if is_cut_off(file, file_bytes):
        raise MediaFailure("unsupported_media", "the file is incomplete: its end is missing; upload it again")
    file.seek(position)


def _video_stream(container: InputContainer, threads: int) -> VideoStream:
    pictures = av.stream.Disposition.attached_pic | av.stream.Disposition.still_image
    streams = [one for one in container.streams.video if not one.disposition & pictures]
    if not streams:
        raise MediaFailure("not_a_video", "the file has no video in it")
    video = streams[0]
    if video.codec_context is None or video.codec_context.name not in VIDEO_DECODERS.split(","):
        raise MediaFailure("unsupported_media", "the video's codec is not supported; use H.264, HEVC, VP9 or AV1")
    size = Size(video.codec_context.width, video.codec_context.height)
    if max(size) > LONGEST_SIDE or size.width * size.height > MOST_PIXELS:
        raise MediaFailure("unsupported_media", f"{size.width} x {size.height} pixels are more than 7680 x 4320")
    video.codec_context.thread_count = threads
    video.codec_context.thread_type = "AUTO"
    return video


def _audio_stream(container: InputContainer) -> AudioStream | None:
    """The first sound that can be decoded; a video with an unknown kind of sound counts as silent."""
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.name in AUDIO_DECODERS.split(",") and stream.rate:
            return stream
    return None


def _first_frame(container: InputContainer, video: VideoStream) -> VideoFrame:
    try:
        for frame in container.decode(video):
            if frame.pts is not None and frame.width and frame.height:
                return frame
    except av.FFmpegError as error:
        raise MediaFailure("not_a_video", "the file's first picture cannot be decoded; it may be damaged") from error
    raise MediaFailure("not_a_video", "the file has no picture in it; its upload or recording may have been cut off")


def _check_limits(media: Media) -> None:
    if max(media.display_size) > LONGEST_SIDE or min(media.display_size) < 16:
        size = media.display_size
        raise MediaFailure("unsupported_media", f"{size.width} x {size.height} is not between 16 and {LONGEST_SIDE}")
    length = media.container.duration
    if length is not None and length > LONGEST_HOURS * 3600 * av.time_base:
        raise MediaFailure("unsupported_media", f"the video is longer than {LONGEST_HOURS} hours; split it")


def _check_colours(media: Media) -> None:
    """Refuses what FFmpeg hands out in other colours than Y'CbCr: it would come out green and violet."""
    told = media.first.color_trc != _UNSPECIFIED or media.first.colorspace != _UNSPECIFIED
    if media.video.codec_tag in _DOLBY_VISION_TAGS and not told:
        raise MediaFailure(
            "unsupported_media",
            "the video is Dolby Vision without HDR10 or HLG below it (profile 5); export it as SDR, HLG or HDR10",
        )
    if media.first.colorspace == _ICTCP:
        raise MediaFailure("unsupported_media", "the video's colours are ICtCp; export it as SDR, HLG or HDR10")


def _turned(degrees_clockwise: int) -> _Linear:
    quarter = round(degrees_clockwise / 90) % 4
    cosine, sine = (1, 0, -1, 0)[quarter], (0, 1, 0, -1)[quarter]
    return (cosine, -sine), (sine, cosine)


def _size(file: SeekableFile) -> int:
    position = file.tell()
    size = file.seek(0, 2)
    file.seek(position)
    return size

"""What this machine's GPU can do, found by doing it: decode one picture on it and encode one.

Cheap questions come first: without an NVIDIA driver torch is not even imported.
"""

import ctypes
import importlib.util
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple, cast

import av
from av.codec.context import CodecContext
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gpu.render.engines.lent_plane import lent
from gpu.render.engines.unable import EngineUnable
from gpu.render.picture import PIXEL_FORMAT, planes
from gpu.weights.libraries import library

Encoder = Literal["h264_nvenc", "libx264"]
CUDA = "cuda"
_DRIVER = "libcuda.so.1"
_SIDE = 256
"""Of the picture that is tried: NVDEC and NVENC refuse the smallest sizes."""
_LEVEL = 120
_TOLERANCE = 8
_PURPOSE = "decoding on a GPU"
_REFUSALS = (av.FFmpegError, RuntimeError, NotImplementedError, ValueError, OSError)
"""What PyAV and torch raise for a device that is missing, busy, too old or out of memory."""


class Gpu(NamedTuple):
    """A GPU that decodes; `encoder_reason` says why the encoder is this one."""

    name: str
    encoder: Encoder
    encoder_reason: str


class Steps(NamedTuple):
    """The questions in their order; each raises EngineUnable or one of PyAV's and torch's errors."""

    find_driver: Callable[[], None]
    find_torch: Callable[[], str]
    decode: Callable[[], None]
    encode: Callable[[], None]


def probe_gpu(steps: Steps) -> Gpu:
    """Raises EngineUnable with what is missing for decoding; without NVENC the pictures are encoded by x264."""
    steps.find_driver()
    name = steps.find_torch()
    try:
        steps.decode()
    except _REFUSALS as error:
        raise EngineUnable(f"{name} does not decode a test picture ({_words(error)})") from error
    try:
        steps.encode()
    except _REFUSALS as error:
        return Gpu(name, "libx264", f"encoded by x264, because NVENC does not encode a test picture ({_words(error)})")
    return Gpu(name, "h264_nvenc", "encoded by NVENC")


def this_gpu() -> Gpu:
    """Of this machine; probed once, kept for the process. Raises EngineUnable."""
    if isinstance(found := _probed(), EngineUnable):
        raise EngineUnable(str(found))
    return found


@cache
def _probed() -> Gpu | EngineUnable:
    try:
        return probe_gpu(Steps(find_driver, find_torch, decode_on_gpu, encode_on_gpu))
    except EngineUnable as reason:
        return reason


def find_driver() -> None:
    """Raises EngineUnable."""
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        raise EngineUnable("there is no NVIDIA driver here") from None
    if CUDA not in hwdevices_available():
        raise EngineUnable("this build of PyAV has no CUDA")


def find_torch() -> str:
    """The GPU's name. Raises EngineUnable."""
    if importlib.util.find_spec("torch") is None:
        raise EngineUnable("torch is not installed here")
    torch = library("torch", _PURPOSE)
    if not torch.cuda.is_available():
        raise EngineUnable("torch finds no CUDA device")
    return str(torch.cuda.get_device_name(0))


def decode_on_gpu() -> None:
    """Decodes a picture on the GPU and reads it there."""
    decoder = _video(CodecContext.create("h264", "r", hwaccel=gpu_decoding(fallback=False)))
    frames = [frame for packet in [*_test_packets("libx264"), None] for frame in decoder.decode(packet)]
    if not frames or frames[0].format.name != CUDA:
        raise RuntimeError("it came out of a software decoder")
    level = float(lent(frames[0].planes[0]).float().mean())
    if abs(level - _LEVEL) > _TOLERANCE:
        raise RuntimeError(f"its level is {level:.0f}, not {_LEVEL}")


def encode_on_gpu() -> None:
    """Encodes a picture with NVENC."""
    if not _test_packets("h264_nvenc"):
        raise RuntimeError("no packet came out")


def gpu_decoding(*, fallback: bool) -> HWAccel:
    """Decoding on CUDA that leaves pictures there; with `fallback` other codecs are decoded on the CPU."""
    return HWAccel(CUDA, allow_software_fallback=fallback, is_hw_owned=True)


def _test_packets(encoder: Encoder) -> "list[Packet[av.VideoStream]]":
    context = _video(CodecContext.create(encoder, "w"))
    context.width = context.height = _SIDE
    context.pix_fmt, context.time_base, context.framerate = PIXEL_FORMAT, Fraction(1, 30), Fraction(30)
    picture = VideoFrame(_SIDE, _SIDE, PIXEL_FORMAT)
    for plane in planes(picture):
        plane[:] = _LEVEL
    picture.pts, picture.time_base = 0, Fraction(1, 30)
    return [packet for frame in (picture, None) for packet in context.encode(frame)]


def _video(context: CodecContext) -> VideoCodecContext:
    return cast(VideoCodecContext, context)


def _words(error: BaseException) -> str:
    """One line of what a library said."""
    text = error.strerror if isinstance(error, av.FFmpegError) else str(error)
    return (text or type(error).__name__).splitlines()[0]

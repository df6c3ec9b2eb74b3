"""A decoded picture's plane as a tensor over the same memory, wherever that is."""

from av.video.plane import VideoPlane

from gpu.render.engines.torch_warp import PURPOSE, Tensor
from gpu.weights.libraries import library


def lent(plane: VideoPlane) -> Tensor:
    """Of shape (rows, columns), with a last dimension of 2 for NV12's colours; copy it before the picture goes.

    torch would ask for synchronisation with its stream, which PyAV refuses for CUDA: FFmpeg and torch both use the
    default stream of the device's primary context, where work is done in order.
    """
    return library("torch", PURPOSE).from_dlpack(plane.__dlpack__())

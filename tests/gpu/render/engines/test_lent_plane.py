"""Planes as tensors, also when the producer refuses to wait for a stream, as PyAV's CUDA planes do."""

from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame

from gpu.render.engines.lent_plane import lent

torch = pytest.importorskip("torch", reason="torch is only on images for GPUs")


def test_nv12_comes_as_luma_and_pairs_of_colours() -> None:
    luma = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)
    colours = np.arange(12 * 32, dtype=np.uint8).reshape(12, 32)
    frame = VideoFrame.from_ndarray(np.vstack([luma, colours]), format="nv12")
    y, uv = (lent(plane) for plane in frame.planes)
    np.testing.assert_array_equal(y.numpy(), luma)
    np.testing.assert_array_equal(uv[..., 0].numpy(), colours[:, 0::2])
    np.testing.assert_array_equal(uv[..., 1].numpy(), colours[:, 1::2])


class PlaneOnGpu:
    """Says that it is on a GPU and, as PyAV's, refuses a stream; its memory is the CPU's."""

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, *, stream: int | None = None) -> Any:
        if stream is not None:
            raise NotImplementedError("CUDA stream synchronization is not supported")
        return torch.arange(6).reshape(2, 3).__dlpack__()


def test_a_plane_on_the_gpu_is_not_asked_to_wait() -> None:
    plane: Any = PlaneOnGpu()
    assert lent(plane).tolist() == [[0, 1, 2], [3, 4, 5]]

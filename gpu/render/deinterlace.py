"""Makes one whole picture of the two fields of an interlaced one, as sharp as the fields allow where nothing moves.

FFmpeg's bwdif keeps number and timestamps of the pictures, and shows each at the time of its first field. It works from
the first interlaced picture on and hands out a picture when it has seen the next; progressive video passes untouched.
"""

from collections.abc import Iterator
from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame

_THREADS = 2


class Deinterlacer:
    """Takes the decoded pictures of one range in order."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._kind: tuple[object, ...] = ()

    def convert(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """The pictures that are settled now that `frame` has come."""
        if self._graph is None and not frame.interlaced_frame:
            yield frame
            return
        kind = (frame.format.name, frame.width, frame.height, frame.time_base)
        if self._graph is None or kind != self._kind:
            yield from self.finish()
            self._graph, self._kind = _bwdif(frame), kind
        self._graph.push(frame)
        yield from _pulled(self._graph)

    def finish(self) -> Iterator[VideoFrame]:
        """The pictures that only the end settles."""
        if self._graph is not None:
            self._graph.push(None)
            yield from _pulled(self._graph)
            self._graph = None


def _bwdif(frame: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = _THREADS
    source = graph.add(
        "buffer",
        width=str(frame.width),
        height=str(frame.height),
        pix_fmt=frame.format.name,
        time_base=str(frame.time_base or Fraction(1, 1000)),
        colorspace=str(frame.colorspace),
        range=str(frame.color_range),
    )
    graph.link_nodes(
        source, graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced"), graph.add("buffersink")
    )
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            frame = graph.vpull()
        except (BlockingIOError, EOFError):
            return
        yield frame

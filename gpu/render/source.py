"""The source video as a seekable file: a local file, or a presigned URL read in blocks by HTTP ranges.

FFmpeg reads through this object, so it never opens a network connection itself. Memory is bounded by the block cache.
"""

import io
import re
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor

from gpu.render.errors import MediaFailure
from gpu.render.transport import HttpClient, Response, TransientError

BLOCK_BYTES = 1 << 18
CACHED_BLOCKS = 96
READ_AHEAD_BLOCKS = 2
"""Blocks fetched beyond the one asked for, once reading goes forward."""
_WORKERS = 3
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class HttpSource(io.RawIOBase):
    """A read-only file over HTTP ranges, none of which is read before it is needed.

    Read it from one thread; `abort()` may come from another.

    Raises MediaFailure `source_unreachable` when the storage refuses, keeps failing, or the object changes meanwhile.
    """

    def __init__(self, url: str) -> None:
        self._client = HttpClient(url, "source_unreachable")
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="source")
        self._blocks: OrderedDict[int, Future[bytes]] = OrderedDict()
        self._position = 0
        self._last_block = -1
        self._etag: str | None = None
        self._size: int | None = None

    @property
    def size(self) -> int:
        """Of the object, in bytes. Nothing is asked of the storage before it, so `abort` reaches every wait."""
        if self._size is None:
            first = self._get(0, BLOCK_BYTES)
            self._size = _total(first)
            self._keep(0, first.body)
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = self.size if whence == io.SEEK_END else {io.SEEK_SET: 0, io.SEEK_CUR: self._position}[whence]
        if start + offset < 0:
            raise ValueError(f"seek to {start + offset}: before the start of the file")
        self._position = start + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes and at most to the end of a block, as RawIOBase allows."""
        block, offset = divmod(self._position, BLOCK_BYTES)
        if self._position >= self.size or size == 0:
            return b""
        data = self._block(block)[offset : None if size < 0 else offset + size]
        self._position += len(data)
        return data

    def abort(self) -> None:
        """Ends a read that waits for the network; later reads fail."""
        self._client.abort()

    def close(self) -> None:
        if not self.closed:
            self.abort()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._blocks.clear()
        super().close()

    def _block(self, index: int) -> bytes:
        forward = index in (self._last_block, self._last_block + 1)
        self._last_block = index
        for wanted in range(index, index + 1 + (READ_AHEAD_BLOCKS if forward else 0)):
            if wanted not in self._blocks and wanted * BLOCK_BYTES < self.size:
                self._blocks[wanted] = self._pool.submit(self._fetch, wanted)
        self._blocks.move_to_end(index)
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        try:
            return self._blocks[index].result()
        except MediaFailure:
            del self._blocks[index]
            raise

    def _keep(self, index: int, data: bytes) -> None:
        done: Future[bytes] = Future()
        done.set_result(data)
        self._blocks[index] = done

    def _fetch(self, index: int) -> bytes:
        start = index * BLOCK_BYTES
        end = min(start + BLOCK_BYTES, self.size)
        return self._get(start, end).body

    def _get(self, start: int, end: int) -> Response:
        return self._client.retrying("reading the video", lambda: self._range(start, end))

    def _range(self, start: int, end: int) -> Response:
        response = self._client.call("GET", {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"})
        if response.status == 416:
            raise MediaFailure("not_a_video", "the file is empty")
        if response.status != 206:
            raise MediaFailure("source_unreachable", _refusal(self._client.host, response.status))
        if len(response.body) != min(end, _total(response)) - start:
            raise TransientError(f"{self._client.host} sent {len(response.body)} of {end - start} bytes")
        etag = response.headers.get("etag")
        if self._etag is not None and etag != self._etag:
            raise MediaFailure("source_unreachable", "the video was replaced while it was read; start again")
        self._etag = etag
        return response


def _total(response: Response) -> int:
    """Size of the object; raises MediaFailure when the answer has no usable Content-Range."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if found is None:
        raise MediaFailure("source_unreachable", "the storage sent a part of the video without saying which")
    return int(found[3])


def _refusal(host: str, status: int) -> str:
    if status == 200:
        return f"{host} does not serve byte ranges, which reading a video needs"
    if status in (401, 403):
        return f"{host} refused the video ({status}): the address has expired or is not signed for reading"
    if status == 404:
        return f"{host} has no such video (404): it was deleted or its upload never completed"
    return f"{host} answered {status} for the video"

"""The Range header: one range, as R2 takes it; anything else is refused, not ignored."""

import re
from typing import NamedTuple

from infra.localcloud.r2 import errors

_RANGE = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))", re.ASCII)


class Span(NamedTuple):
    """The bytes [start, start + size)."""

    start: int
    size: int

    def content_range(self, total: int) -> str:
        return f"bytes {self.start}-{self.start + self.size - 1}/{total}"


def parse(header: str, total: int) -> Span:
    """Raises InvalidArgument for a malformed range and InvalidRange for one outside of `total` bytes."""
    match = _RANGE.fullmatch(header)
    if match is None:
        raise errors.InvalidArgument("range must be in format 'bytes=start-end', 'bytes=start-' or 'bytes=-suffix'.")
    first, last, suffix = match.groups()
    if suffix is not None:
        size = min(int(suffix), total)
        start = total - size
    else:
        start = int(first)
        end = min(int(last), total - 1) if last else total - 1
        if last and int(last) < start:
            raise errors.InvalidArgument("range must be positive.")
        size = end - start + 1
    if size <= 0 or start >= total:
        raise errors.InvalidRange(headers={"content-range": f"bytes */{total}"})
    return Span(start, size)

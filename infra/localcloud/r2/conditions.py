"""If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since, as R2 evaluates them.

Dates are compared in whole seconds, and an object of exactly that second counts as modified: R2's rule as its simulator
gives it (workers-sdk, miniflare `r2/validator`), stricter than RFC 9110 in the last point.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from infra.localcloud.r2 import errors


class State(Protocol):
    """What a condition looks at: the ETag without quotes and the Unix time of the last write."""

    @property
    def etag(self) -> str: ...

    @property
    def modified_at(self) -> float: ...


@dataclass(frozen=True)
class Conditions:
    """The raw header values; None where a header is absent."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], prefix: str = "") -> "Conditions":
        """Reads e.g. `if-match`, or `x-amz-copy-source-if-match` with that prefix."""
        return cls(
            headers.get(f"{prefix}if-match"),
            headers.get(f"{prefix}if-none-match"),
            headers.get(f"{prefix}if-modified-since"),
            headers.get(f"{prefix}if-unmodified-since"),
        )

    def require_for_write(self, state: State | None) -> None:
        """Raises PreconditionFailed unless what is there now (None: nothing) may be replaced."""
        if state is None:
            if self.if_match is not None or self.if_modified_since is not None:
                raise errors.PreconditionFailed
        elif not (self._matches(state) and self._changed(state)):
            raise errors.PreconditionFailed

    def is_unchanged(self, state: State) -> bool:
        """For a read: whether 304 is the answer; raises PreconditionFailed where 412 is."""
        if not self._matches(state):
            raise errors.PreconditionFailed
        return not self._changed(state)

    def _matches(self, state: State) -> bool:
        if self.if_match is not None:
            return _includes(self.if_match, state.etag, weak=False)
        return self.if_unmodified_since is None or int(state.modified_at) < _seconds(self.if_unmodified_since)

    def _changed(self, state: State) -> bool:
        if self.if_none_match is not None:
            return not _includes(self.if_none_match, state.etag, weak=True)
        return self.if_modified_since is None or int(state.modified_at) > _seconds(self.if_modified_since)


def _includes(header: str, etag: str, *, weak: bool) -> bool:
    for candidate in header.split(","):
        text = candidate.strip()
        if text == "*":
            return True
        if text.startswith("W/"):
            if not weak:
                continue
            text = text[2:]
        if text.strip('"') == etag:
            return True
    return False


def _seconds(header: str) -> float:
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError as error:
        raise errors.InvalidArgument(f"{header!r} is not an HTTP date") from error

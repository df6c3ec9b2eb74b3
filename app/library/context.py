"""What the current request permits of the library and what the library then did: for its log line and its headers."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

SyncStatus = Literal["synced", "stale"]


@dataclass
class SyncReport:
    """Permissions are set by the middleware, the rest is filled by Libraries and read once the response starts.

    `seconds` is the time spent on the store; `status` None: no library was used, or nobody knows how fresh it is;
    `age_s`: how old a stale read is. Of several reads the stalest counts.
    """

    may_be_stale: bool = False
    seen_version: int | None = None
    seconds: float = 0.0
    version: int | None = None
    status: SyncStatus | None = None
    age_s: float | None = None


_REPORT: ContextVar[SyncReport | None] = ContextVar("library_sync_report", default=None)


def begin_report(may_be_stale: bool = False, seen_version: int | None = None) -> SyncReport:
    """A fresh report for the request that the current task serves."""
    report = SyncReport(may_be_stale, seen_version)
    _REPORT.set(report)
    return report


def current_report() -> SyncReport | None:
    """None outside a request, as in a background job or on a socket."""
    return _REPORT.get()


def report_sync(seconds: float, version: int | None, status: SyncStatus | None, age_s: float | None = None) -> None:
    """Add to the current request's report; does nothing outside a request. `status` None: the store is down."""
    report = _REPORT.get()
    if report is None:
        return
    report.seconds += seconds
    report.version = version if version is not None else report.version
    if status != "synced" or report.status != "stale":
        report.status = status
    if age_s is not None:
        report.age_s = max(age_s, report.age_s or 0.0)

"""What the library did for the current request, for its log line and response headers."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

SyncStatus = Literal["synced", "stale", "unavailable"]


@dataclass
class SyncReport:
    """Filled by Libraries, read by the middleware once the response starts."""

    seconds: float = 0.0
    version: int | None = None
    status: SyncStatus = "synced"


_REPORT: ContextVar[SyncReport | None] = ContextVar("library_sync_report", default=None)


def begin_report() -> SyncReport:
    """A fresh report for the request that the current task serves."""
    report = SyncReport()
    _REPORT.set(report)
    return report


def report_sync(seconds: float, version: int | None, status: SyncStatus) -> None:
    """Add to the current request's report; does nothing outside a request, as in a background job."""
    report = _REPORT.get()
    if report is not None:
        report.seconds += seconds
        report.version = version if version is not None else report.version
        report.status = status

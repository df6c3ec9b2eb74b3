"""What the current request permits of the library and what the library then did: for its log line and its headers.

A report is of the task that began it: a job that a request starts inherits its context, but is no part of it.
"""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from weakref import ref

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


class _Begun(NamedTuple):
    report: SyncReport
    task: "ref[asyncio.Task[Any]] | None"


_BEGUN: ContextVar[_Begun | None] = ContextVar("library_sync_report", default=None)


def begin_report(may_be_stale: bool = False, seen_version: int | None = None) -> SyncReport:
    """A fresh report for the request that the current task serves."""
    report, task = SyncReport(may_be_stale, seen_version), _task()
    _BEGUN.set(_Begun(report, ref(task) if task else None))
    return report


def current_report() -> SyncReport | None:
    """None outside a request, as in a background job or on a socket."""
    begun = _BEGUN.get()
    if begun is None or (begun.task and begun.task()) is not _task():
        return None
    return begun.report


def report_sync(seconds: float, version: int | None, status: SyncStatus | None, age_s: float | None = None) -> None:
    """Add to the current request's report; does nothing outside a request. `status` None: the store is down."""
    report = current_report()
    if report is None:
        return
    report.seconds += seconds
    report.version = version if version is not None else report.version
    if status != "synced" or report.status != "stale":
        report.status = status
    if age_s is not None:
        report.age_s = max(age_s, report.age_s or 0.0)


def _task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None

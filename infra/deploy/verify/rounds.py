"""The rows of one verification, in their order; what was made is removed however it ends."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.deploy.verify import cleanup, cors, exports, hosts, identity, recording, service, site, sockets
from infra.deploy.verify.outputs import Outputs
from infra.deploy.verify.report import Check, Report
from infra.deploy.verify.visit import Visit


async def verify(outputs: Outputs, show: Callable[[str], None]) -> Report:
    """All rows; a failed one never keeps others from being tried, but those that need it."""
    report = Report(show)
    with tempfile.TemporaryDirectory(prefix="verify-") as scratch, terminable():
        visit = Visit(outputs, Path(scratch))
        async with visit.api, visit.web:
            try:
                for check in _first(visit):
                    await report.run(check)
                for check in exports.checks(visit):
                    await report.run(check)
            finally:
                await visit.hang_up()
                await report.run(cleanup.after(visit))
    return report


def _first(visit: Visit) -> list[Check]:
    return [
        *hosts.checks(visit.outputs),
        *service.checks(visit),
        *site.checks(visit),
        *cors.api_checks(visit),
        *identity.checks(visit),
        *sockets.checks(visit),
        exports.kinds_check(visit),
        cleanup.before(visit),
        *cors.bucket_checks(visit),
        *recording.checks(visit),
    ]


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: the clean-up still happens."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is None:
        yield
        return
    try:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    except (ValueError, RuntimeError):
        # Not the main thread: whoever runs it there looks after signals.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)

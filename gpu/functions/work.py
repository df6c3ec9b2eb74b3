"""What several functions do alike: check addresses, probe a source, work in a folder that goes away."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gpu.plan.spec import ProbeInfo
from gpu.render.hosts import check_host
from gpu.render.produce import Reporter, probe_file
from gpu.render.source import HttpSource


def check_hosts(sources: Sequence[str], outputs: Sequence[str]) -> None:
    """Raises MediaFailure when one of the URLs points to a host that is not allowed."""
    for url in sources:
        check_host(url, "source_unreachable")
    for url in outputs:
        check_host(url, "output_refused")


def probe_url(url: str) -> ProbeInfo:
    """Reads by HTTP ranges: the index, the start, and where there is no index the end. Raises MediaFailure."""
    with HttpSource(url) as source:
        return probe_file(source, source.abort)


def rendering(report: Reporter) -> Callable[[int], None]:
    """Takes counts of frames that are done."""
    return lambda done: report("rendering", done)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        yield Path(folder)

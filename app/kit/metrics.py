"""Counters and gauges in Prometheus' text format (version 0.0.4). They count one process and start at 0 with it."""

from collections import defaultdict

_Labels = tuple[str, ...]


class Metric:
    """One named number for each combination of label values."""

    def __init__(self, kind: str, name: str, help_text: str, labels: _Labels) -> None:
        self.name = name
        self._kind = kind
        self._help = help_text
        self._labels = labels
        self._values: defaultdict[_Labels, float] = defaultdict(float)

    def add(self, *label_values: str, amount: float = 1) -> None:
        if len(label_values) != len(self._labels):
            raise ValueError(f"{self.name} has labels {self._labels}, got {label_values}")
        self._values[label_values] += amount

    def value(self, *label_values: str) -> float:
        return self._values[label_values]

    def render(self) -> str:
        lines = [f"# HELP {self.name} {self._help}", f"# TYPE {self.name} {self._kind}"]
        for values, number in sorted(self._values.items()):
            pairs = ",".join(f'{label}="{value}"' for label, value in zip(self._labels, values, strict=True))
            lines.append(f"{self.name}{{{pairs}}} {number:g}" if pairs else f"{self.name} {number:g}")
        return "\n".join(lines)


_ALL: list[Metric] = []


def _metric(kind: str, name: str, help_text: str, *labels: str) -> Metric:
    metric = Metric(kind, name, help_text, labels)
    _ALL.append(metric)
    return metric


def render_all() -> str:
    return "\n".join(metric.render() for metric in _ALL) + "\n"


REQUESTS = _metric("counter", "http_requests_total", "Answered requests.", "method", "status")
REQUEST_SECONDS = _metric("counter", "http_request_seconds_total", "Time spent answering requests.")
LIBRARY_COMMITS = _metric("counter", "library_commits_total", "Commits to libraries by outcome.", "outcome")
EXPORTS = _metric("counter", "exports_total", "Exports that ended, by kind and final status.", "kind", "status")
JOBS_RUNNING = _metric("gauge", "jobs_running", "Jobs that this process holds.", "kind")
SOCKETS = _metric("gauge", "websockets_open", "Open progress sockets.")

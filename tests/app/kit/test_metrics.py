import pytest

from app.kit.metrics import Metric


def test_a_counter_renders_as_prometheus_text() -> None:
    metric = Metric("counter", "reels_total", "Reels.", ("kind", "status"))
    metric.add("framing", "complete")
    metric.add("framing", "complete", amount=2)
    metric.add("extract", "failed")
    assert metric.render().splitlines() == [
        "# HELP reels_total Reels.",
        "# TYPE reels_total counter",
        'reels_total{kind="extract",status="failed"} 1',
        'reels_total{kind="framing",status="complete"} 3',
    ]


def test_labels_must_fit() -> None:
    with pytest.raises(ValueError, match="reels_total"):
        Metric("counter", "reels_total", "Reels.", ("kind",)).add()

"""Progress that is published beside the render."""

import logging
import threading

import pytest

from gpu.contract import RenderProgress
from gpu.render.progress import Publisher


def at(frames: int) -> RenderProgress:
    return RenderProgress(phase="rendering", frames_done=frames, frames_total=100)


def test_the_last_report_is_always_published() -> None:
    published: list[RenderProgress] = []
    with Publisher(published.append, 60) as publisher:
        for frames in range(100):
            publisher.report(at(frames))
    assert published[-1] == at(99)
    assert len(published) <= 2


def test_reports_come_in_order() -> None:
    published: list[RenderProgress] = []
    with Publisher(published.append, 0) as publisher:
        for frames in range(1000):
            publisher.report(at(frames))
    assert published == sorted(published, key=lambda one: one.frames_done)


def test_a_slow_receiver_does_not_hold_up_the_render() -> None:
    reached, free = threading.Event(), threading.Event()

    def slow(_: RenderProgress) -> None:
        reached.set()
        assert free.wait(30)

    with Publisher(slow, 0) as publisher:
        publisher.report(at(0))
        assert reached.wait(30)
        for frames in range(1000):
            publisher.report(at(frames))
        free.set()


def test_a_receiver_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def failing(progress: RenderProgress) -> None:
        calls.append(progress.frames_done)
        raise ConnectionError("https://secret")

    with caplog.at_level(logging.WARNING), Publisher(failing, 0) as publisher:
        publisher.report(at(1))
    assert calls == [1]
    assert caplog.messages == ["progress was not published: ConnectionError"]


def test_nothing_reported_publishes_nothing() -> None:
    published: list[RenderProgress] = []
    with Publisher(published.append, 0):
        pass
    assert published == []

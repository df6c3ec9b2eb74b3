"""A producer in its own thread."""

import threading
from collections.abc import Generator

import pytest

from gpu.render.overlap import overlapped


def counting(end: int, closed: threading.Event | None = None) -> Generator[int]:
    try:
        yield from range(end)
    finally:
        if closed is not None:
            closed.set()


def test_items_come_in_order() -> None:
    with overlapped(counting(500), 3) as items:
        assert list(items) == list(range(500))


def test_an_error_of_the_producer_is_raised_after_its_items() -> None:
    def failing() -> Generator[int]:
        yield 1
        raise OSError("the disk is gone")

    with overlapped(failing(), 3) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match="the disk is gone"):
            next(items)


def test_leaving_early_closes_the_producer() -> None:
    closed = threading.Event()
    before = set(threading.enumerate())
    with overlapped(counting(10**9, closed), 2) as items:
        assert next(items) == 0
        assert set(threading.enumerate()) - before
    assert closed.is_set()
    assert not set(threading.enumerate()) - before


def test_leaving_by_an_error_closes_the_producer_too() -> None:
    closed = threading.Event()

    def encode() -> None:
        with overlapped(counting(10**9, closed), 2) as items:
            next(items)
            raise KeyError("the encoder failed")

    with pytest.raises(KeyError):
        encode()
    assert closed.is_set()


def test_a_producer_that_waits_is_woken() -> None:
    reached, network = threading.Event(), threading.Event()
    woken: list[bool] = []

    def waiting() -> Generator[int]:
        yield 1
        reached.set()
        woken.append(network.wait(60))
        yield 2

    with overlapped(waiting(), 2, network.set) as items:
        next(items)
        assert reached.wait(60)
    assert woken == [True]


def test_the_producer_runs_only_a_little_ahead() -> None:
    made: list[int] = []

    def noting() -> Generator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with overlapped(noting(), 4) as items:
        for number in items:
            assert len(made) <= number + 1 + 4 + 2

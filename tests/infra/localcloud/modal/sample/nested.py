"""A Modal app whose functions call each other from inside their containers."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal

app = modal.App("nested")
image = modal.Image.debian_slim(python_version="3.11")


@app.function(
    image=image,
    timeout=60,
    max_containers=2,
    retries=modal.Retries(max_retries=1, initial_delay=0.1, backoff_coefficient=1.0),
)
def inner(action: str, value: Any) -> Any:
    return _ACTIONS[action](value)


@app.function(image=image, timeout=60, max_containers=2)
def outer(way: str, action: str, values: list[Any], by_name: bool = False) -> list[Any]:
    """Calls `inner` once for each value; a `spawn` ends its calls when it is cancelled itself."""
    called = modal.Function.from_name("nested", "inner") if by_name else inner
    match way:
        case "remote":
            return [called.remote(action, value) for value in values]
        case "map":
            return list(called.map([action] * len(values), values))
        case "starmap":
            return list(called.starmap((action, value) for value in values))
        case _:
            return _spawned(called, action, values)


def _spawned(called: Any, action: str, values: list[Any]) -> list[Any]:
    calls: list[Any] = []
    try:
        calls.extend(called.spawn(action, value) for value in values)
        return [call.get() for call in calls]
    except BaseException:
        for call in calls:
            call.cancel()
        raise


def _attempt(notes: str) -> int:
    """Notes this process in the file and returns how many attempts are noted."""
    with Path(notes).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return Path(notes).read_text().count("\n")


def _fail_once(notes: str) -> int:
    attempt = _attempt(notes)
    if attempt == 1:
        raise ValueError("the first attempt")
    return attempt


def _sleep_once(notes: str) -> int:
    attempt = _attempt(notes)
    if attempt == 1:
        time.sleep(60)
    return attempt


def _wait(notes: str) -> None:
    """Until the file beside the notes appears; says how it ended."""
    _attempt(notes)
    ended = "cancelled"
    try:
        while not Path(notes).with_name("go").exists():
            time.sleep(0.05)
        ended = "done"
    finally:
        with Path(notes).open("a") as file:
            file.write(f"{ended}\n")


_ACTIONS: dict[str, Callable[[Any], Any]] = {
    "echo": lambda value: value,
    "fail once": _fail_once,
    "sleep once": _sleep_once,
    "wait": _wait,
}

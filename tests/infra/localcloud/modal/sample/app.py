"""A small Modal app for the tests, deployed by the real command line.

Few functions, because each has its own container.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import modal

app = modal.App("sample")
image = modal.Image.debian_slim(python_version="3.11").uv_pip_install("numpy").env({"FROM_IMAGE": "a value"})
_three = asyncio.Barrier(3)
secret = modal.Secret.from_name("sample-secret", required_keys=["FROM_SECRET"])


@app.function(image=image, secrets=[secret], gpu=["L4", "T4"], timeout=30, max_containers=1)
def work(action: str, value: Any = None) -> Any:
    """Does what the test names, so that one warm container serves many tests."""
    return _ACTIONS[action](value)


@app.function(image=image, timeout=2, max_containers=1, scaledown_window=2)
def impatient(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


@app.function(image=image, retries=modal.Retries(max_retries=1, initial_delay=1.0, backoff_coefficient=1.0))
def flaky(key: str, failures: int, how: str) -> int:
    return _tried(key, failures, how)


@app.function(image=image, retries=modal.Retries(max_retries=1, initial_delay=60.0, backoff_coefficient=1.0))
def patient(key: str) -> int:
    """Fails, and is tried again only long after."""
    return _tried(key, 9, "raise")


def _tried(key: str, failures: int, how: str) -> int:
    attempts = modal.Dict.from_name("attempts", create_if_missing=True)
    attempt = attempts.get(key, 0) + 1
    attempts[key] = attempt
    if attempt <= failures and how == "crash":
        os._exit(3)
    if attempt <= failures:
        raise ValueError(f"attempt {attempt}")
    return int(attempt)


@app.function(image=image)
@modal.concurrent(max_inputs=3)
async def together(others: int) -> str:
    """Returns its container's id; with `others`, once three inputs run in it at the same time."""
    if others:
        await _three.wait()
    return os.environ["MODAL_TASK_ID"]


@app.function(image=image)
def count(to: int) -> Iterator[int]:
    yield from range(to)


def _start_descendants(seconds: float) -> list[int]:
    """The ids of this process and of a child that would outlive it."""
    return [os.getpid(), subprocess.Popen(["sleep", str(seconds)]).pid]


def _publish(job: dict[str, Any]) -> str:
    """Publishes progress to a dict and a queue, then waits until the test says go."""
    progress = modal.Dict.from_name("progress", create_if_missing=True)
    events = modal.Queue.from_name("events", create_if_missing=True)
    identity = {"pid": os.getpid(), "container": os.environ["MODAL_TASK_ID"]}
    progress[job["key"]] = {"frames_done": 1, **identity}
    events.put("started", partition=job["key"])
    wait_until = time.monotonic() + job.get("limit_s", 20)
    while not progress.contains(f"{job['key']}-go"):
        if time.monotonic() > wait_until:
            raise TimeoutError("nobody said go")
        time.sleep(0.05)
    progress[job["key"]] = {"frames_done": 2, **identity}
    return "published"


def _sleep_once(notes: str) -> str:
    """Notes its container in the file, then sleeps, unless an earlier attempt did.

    It calls nothing of Modal, because the client can lose a cancellation that falls into one of its own calls.
    """
    with Path(notes).open("a") as file:
        file.write(os.environ["MODAL_TASK_ID"] + "\n")
    if Path(notes).read_text().count("\n") == 1:
        time.sleep(60)
    return "woken"


def _ignore_cancellation(notes: str) -> None:
    while True:
        try:
            Path(notes).write_text("running\n")
            time.sleep(60)
        except BaseException as error:
            print("not now", repr(error), flush=True)  # noqa: T201


_ACTIONS: dict[str, Callable[[Any], Any]] = {
    "double": lambda number: import_module(f"{__package__}.arithmetic").double(number),
    "echo": lambda value: value,
    "environment": lambda _: dict(os.environ),
    "publish": _publish,
    "folder": lambda _: str(Path.cwd()),
    "descendants": _start_descendants,
    "sleep once": _sleep_once,
    "ignore cancellation": _ignore_cancellation,
    "crash": lambda status: os._exit(status),
}

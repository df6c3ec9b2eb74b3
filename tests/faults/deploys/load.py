"""Open-loop load: request n is due n/rate seconds after the start, whether or not the ones before it were answered.

Latency counts from the moment at which a request was due, so that a server that stalls cannot hide it. At most
`MOST_AT_ONCE` requests are under way: a machine too slow for the rate gets what it can do, each request late, and not
a queue that grows until it is full.
"""

import asyncio
import itertools
import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

TIMEOUT_S = 60.0
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    user: str
    expected: int
    body: dict[str, object] | None = None


@dataclass(frozen=True)
class Answer:
    """`due` and `seconds` in seconds of the monotonic clock; `failure` says what was wrong."""

    call: Call
    due: float
    seconds: float
    failure: str | None


@dataclass(frozen=True)
class Writer:
    """A user with a recording to write about."""

    user: str
    media_id: str


def mixed_calls(writers: Sequence[Writer]) -> Callable[[int], Call]:
    """Of ten requests two write, three list what was written, five look at the version."""

    def call(number: int) -> Call:
        writer, kind = writers[number % len(writers)], number // len(writers) % 10
        if kind in (0, 5):
            game = {"opponent": f"Rovers {number}", "played_on": "2026-09-12", "venue": "home"}
            return Call("POST", "/api/games", writer.user, 201, {**game, "media_ids": [writer.media_id]})
        path = "/api/games" if kind in (1, 4, 7) else "/api/health"
        return Call("GET", path, writer.user, 200)

    return call


def p95_s(answers: Sequence[Answer], since: float, until: float) -> float:
    """Of the requests due in that time (monotonic clock). Raises ValueError when none of them was sent."""
    times = sorted(answer.seconds for answer in answers if since <= answer.due < until)
    if not times:
        raise ValueError("the load was so late that no request of that time was sent")
    return times[math.ceil(0.95 * len(times)) - 1]


class Load:
    """A context: runs in it until `stop`; `answers` has every request that was sent, once `stop` returned."""

    def __init__(self, url: str, rate: float, calls: Callable[[int], Call]) -> None:
        self.answers: list[Answer] = []
        self._url = url
        self._rate = rate
        self._calls = calls
        self._stopping = asyncio.Event()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Load":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Every request that was sent is waited for."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    @property
    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.failure is not None]

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
            # Nothing is sent twice behind our back: a connection that breaks is a failure.
            session._retry_connection = False
            began = time.monotonic()
            async with asyncio.TaskGroup() as tasks:
                for number in itertools.count():
                    due = began + number / self._rate
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    await self._room.acquire()
                    if self._stopping.is_set():
                        return
                    tasks.create_task(self._ask(session, self._calls(number), due))

    async def _ask(self, session: aiohttp.ClientSession, call: Call, due: float) -> None:
        headers = {"X-User-ID": call.user}
        if call.method != "GET":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        failure = None
        try:
            async with session.request(
                call.method, f"{self._url}{call.path}", json=call.body, headers=headers
            ) as answer:
                text = await answer.text()
                if answer.status != call.expected:
                    failure = f"status {answer.status}: {text[:300]}"
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = f"{type(error).__name__}: {error}"
        finally:
            self._room.release()
        self.answers.append(Answer(call, due, time.monotonic() - due, failure))

"""One run of the media command line as a child: a process group of its own, no credential in its environment.

Protocol: request JSON on stdin; JSON lines on stdout, the last one `{"type": "response", ...}`; logs on stderr.
"""

import asyncio
import json
import logging
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

_LOGGER = logging.getLogger(__name__)
_MAX_LINE_BYTES = 1024 * 1024
_KEPT_LOG_BYTES = 4000
_GRACE_S = 3.0
_WATCH_S = 0.05
_PASSED_ON = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"})
_URL_QUERY = re.compile(r"(https?://[^\s\"'?]+)\?[^\s\"']*")


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the child may know; an allow-list, so that a new secret is never passed on by accident."""
    return {name: value for name, value in environment.items() if name in _PASSED_ON}


def without_url_queries(text: str) -> str:
    """Presigned URLs carry their permission in the query."""
    return _URL_QUERY.sub(r"\1?...", text)


class MediaProcess:
    """Build it with `start`, read `messages` to the end, then `finish`; `kill` at any time.

    Its own children, which encode, are in its process group; none of them outlives `finish` or `kill`.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._log = asyncio.create_task(_tail(process.stderr))
        self._watch = asyncio.create_task(self._end_with_group())

    @classmethod
    async def start(cls, command: Sequence[str], request: str, extra: Mapping[str, str]) -> "MediaProcess":
        """`extra` is added to the child's environment. Raises OSError when the command cannot run."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**clean_environment(os.environ), **extra},
            start_new_session=True,
            limit=_MAX_LINE_BYTES,
        )
        child = cls(process)
        try:
            await child._send(request)
        except BaseException:
            await child.kill()
            raise
        return child

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """JSON objects as they come; a line that is none is logged and left out."""
        if self._process.stdout is None:
            raise RuntimeError("the child has no stdout pipe")
        async for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                yield message
            else:
                _LOGGER.warning("the media process wrote a line that is no JSON object: %r", line[:200])

    async def finish(self) -> tuple[int, str]:
        """Exit status (negative: signal) and the end of its log without URL queries."""
        status = await self._process.wait()
        await self._watch
        return status, without_url_queries(await self._log)

    async def kill(self) -> None:
        """Ask the whole group to end, then make it."""
        if self._process.returncode is None:
            self._signal_group(signal.SIGTERM)
            await asyncio.wait([self._watch], timeout=_GRACE_S)
            if not self._watch.done():
                _LOGGER.warning("media process %d ignores SIGTERM; it is killed", self._process.pid)
                self._signal_group(signal.SIGKILL)
        await asyncio.wait([self._watch, self._log])
        await self._process.wait()

    async def _end_with_group(self) -> None:
        """Ends what the child leaves, at once: before the system can give its number to another group.

        It looks for itself: asyncio tells of an end only when the pipes are closed, which a grandchild may hold open.
        """
        while self._process.returncode is None:  # noqa: ASYNC110 -- there is no event of it
            await asyncio.sleep(_WATCH_S)
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, sign: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, sign)
        except (ProcessLookupError, PermissionError):
            return

    async def _send(self, request: str) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise RuntimeError("the child has no stdin pipe")
        try:
            pipe.write(request.encode())
            await pipe.drain()
        except (BrokenPipeError, ConnectionResetError):
            _LOGGER.warning("the media process ended before it read its request")
        pipe.close()


async def _tail(stream: asyncio.StreamReader | None) -> str:
    kept = b""
    while stream is not None and (chunk := await stream.read(65536)):
        kept = (kept + chunk)[-_KEPT_LOG_BYTES:]
    return kept.decode(errors="replace")

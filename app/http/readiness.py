"""Can this process do its work? Asks the store and the renderer, and remembers the answer for a moment."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from app.kit.errors import AppError, UnavailableError

_MEMORY_S = 2.0
_PATIENCE_S = 4.0
_LOGGER = logging.getLogger(__name__)
Check = Callable[[], Awaitable[None]]


class NotReadyError(UnavailableError):
    code = "not_ready"
    title = "Not ready"


class Readiness:
    """Checks by name; one that raises or takes longer than 4 s makes the process not ready."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._lock = asyncio.Lock()
        self._known: dict[str, str] = {}
        self._known_at = float("-inf")

    async def require(self) -> dict[str, str]:
        """Each check's name with `ok`; raises NotReadyError that names those that failed."""
        async with self._lock:
            if time.monotonic() - self._known_at > _MEMORY_S:
                results = await asyncio.gather(*(_result(check) for check in self._checks.values()))
                self._known = dict(zip(self._checks, results, strict=True))
                self._known_at = time.monotonic()
        bad = {name: result for name, result in self._known.items() if result != "ok"}
        if bad:
            raise NotReadyError("; ".join(f"{name}: {result}" for name, result in bad.items()), extra=dict(bad))
        return self._known


async def _result(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), _PATIENCE_S)
    except TimeoutError:
        return f"no answer in {_PATIENCE_S:.0f} s"
    except AppError as error:
        return error.detail
    except Exception as error:
        _LOGGER.exception("a readiness check broke")
        return type(error).__name__
    return "ok"

"""Rows of a table: each is a check that ran, or that could not because another one failed."""

import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import httpx
from websockets.exceptions import WebSocketException

from infra.deploy.errors import DeployError

State = Literal["ok", "hint", "FAIL", "-"]
EXPECTED = (DeployError, httpx.HTTPError, WebSocketException, OSError)


class StillUsableError(DeployError):
    """The row fails, and what needs it can be tried nevertheless."""


class HintError(StillUsableError):
    """It works and could be better: the row fails nothing."""


@dataclass(frozen=True)
class Check:
    """`run` answers what it found or raises; it is not tried when a row in `needs` is not usable."""

    name: str
    run: Callable[[], Awaitable[str]]
    needs: tuple[str, ...] = ()


class Row(NamedTuple):
    name: str
    state: State
    seconds: float
    said: str

    def shown(self) -> str:
        return f"{self.state:4}  {self.seconds:6.1f} s  {self.name:34}  {self.said}"


class Report:
    """Runs checks and remembers their rows; each is shown as soon as it is known."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self.rows: list[Row] = []
        self._show = show
        self._unusable: set[str] = set()

    @property
    def failed(self) -> list[str]:
        return [row.name for row in self.rows if row.state == "FAIL"]

    @property
    def hints(self) -> list[str]:
        return [row.name for row in self.rows if row.state == "hint"]

    async def run(self, check: Check) -> None:
        missing = [name for name in check.needs if name in self._unusable]
        if missing:
            self._add(Row(check.name, "-", 0.0, f"not tried, it needs: {', '.join(missing)}"))
            self._unusable.add(check.name)
            return
        begun = time.perf_counter()
        try:
            row = Row(check.name, "ok", 0.0, await check.run())
        except EXPECTED as error:
            state: State = "hint" if isinstance(error, HintError) else "FAIL"
            row = Row(check.name, state, 0.0, " ".join(str(error).split()) or type(error).__name__)
            if not isinstance(error, StillUsableError):
                self._unusable.add(check.name)
        except Exception as error:
            # An answer of an unforeseen form is a failed row too: what was made must still be removed.
            row = Row(check.name, "FAIL", 0.0, f"{type(error).__name__}: {error}")
            self._unusable.add(check.name)
        self._add(row._replace(seconds=time.perf_counter() - begun))

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        self._show(row.shown())


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- standard output is for the result

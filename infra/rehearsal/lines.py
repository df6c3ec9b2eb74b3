"""Turns what a program prints into lines for whoever listens, so that nothing reaches the terminal unread."""

import io
from collections.abc import Callable


class Lines(io.TextIOBase):
    """A text stream that hands on whole lines; `close()` hands on the rest."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__()
        self._hear, self._rest = hear, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._hear(line)
        return len(text)

    def close(self) -> None:
        if self._rest:
            self._hear(self._rest)
            self._rest = ""
        super().close()

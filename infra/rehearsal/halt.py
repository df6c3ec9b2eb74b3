"""Whether anything new may still begin: not after a failure, and not after an interrupt."""

import threading


class HaltedError(RuntimeError):
    """A step was not begun because the run is ending; that is no failure of the step."""


class Halt:
    """Set once by the first failure or interrupt. With `continue_on_error` a failure does not set it."""

    def __init__(self, continue_on_error: bool = False) -> None:
        self._continue = continue_on_error
        self._failed = threading.Event()
        self.signal = 0

    @property
    def any_failed(self) -> bool:
        return self._failed.is_set()

    @property
    def interrupted(self) -> bool:
        return self.signal != 0

    @property
    def nothing_new(self) -> bool:
        return self.interrupted or (self.any_failed and not self._continue)

    @property
    def continues(self) -> bool:
        return self._continue

    def fail(self) -> None:
        self._failed.set()

    def interrupt(self, signal: int) -> None:
        self.signal = signal

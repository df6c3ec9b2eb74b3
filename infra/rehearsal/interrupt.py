"""SIGINT and SIGTERM: nothing new begins, running commands are stopped, what is known is saved; twice ends at once."""

import os
import signal
from types import FrameType

from infra.rehearsal.halt import Halt
from infra.rehearsal.providers.process import Processes

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Installed by the command line only; a library leaves signals to its caller."""

    def __init__(self, halt: Halt, processes: Processes) -> None:
        self._halt, self._processes = halt, processes

    def install(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._halt.interrupted:
            os.write(2, b"interrupted again: ending at once; the next run resumes what was under way\n")
            os._exit(128 + number)
        self._halt.interrupt(number)
        os.write(2, b"interrupted: stopping what runs, beginning nothing new; press again to end at once\n")
        self._processes.stop_soon()

"""A process that does not outlive the one that started it, even while it waits for the network."""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1
"""Of prctl(2)."""


def die_with_parent(parent: int) -> None:
    """Ends this process as soon as the process `parent` is gone. Only Linux can do that; elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not end a process with its parent")
    if os.getppid() != parent:  # it went before the kernel knew
        os._exit(1)

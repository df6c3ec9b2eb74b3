"""Ports for servers that a test starts by number: nothing else takes them before, or while they are started again.

A port from the system's own range (32768 and up) may meanwhile become the near end of anybody's connection, so these
are below it. Test processes run side by side: a block of ports belongs to the one that has its first port bound, and
that one keeps it until it ends.
"""

import os
import random
import socket

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST, BLOCK = 20_000, 31_000, 64
_guards: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """In a row, given to nobody else; `count` is below 64. Raises RuntimeError when all blocks are taken."""
    if not 0 < count < BLOCK:
        raise ValueError(f"{count} ports do not fit into a block of {BLOCK} with its guard")
    blocks = list(range(LOWEST, HIGHEST, BLOCK))
    random.Random(os.getpid()).shuffle(blocks)
    for first in blocks:
        guard = _bound(first)
        if guard is None:
            continue
        ports = list(range(first + 1, first + 1 + count))
        if all(map(_is_free, ports)):
            _guards.append(guard)
            return ports
        guard.close()
    raise RuntimeError(f"no {count} ports in a row are free between {LOWEST} and {HIGHEST}")


def _is_free(port: int) -> bool:
    bound = _bound(port)
    if bound is not None:
        bound.close()
    return bound is not None


def _bound(port: int) -> socket.socket | None:
    """None when the port is taken. The socket does not listen: whoever connects is refused."""
    taken = socket.socket()
    try:
        taken.bind((LOOPBACK, port))
    except OSError:
        taken.close()
        return None
    return taken

"""Ports that stay free while nothing listens there: stand-ins are ended and started again on them.

A port from the system's own range (32768 and up) may meanwhile become the near end of anybody's connection.
"""

import os
import random
import re
import socket
from pathlib import Path

LOWEST, HIGHEST, APART = 20_000, 31_000, 2


def settle(stack_file: Path) -> None:
    """Gives every loopback address of the file a port of its own, with the next one free for Modal's second."""
    text = stack_file.read_text()
    found = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    base = _free_block(len(found) * APART)
    for number, port in enumerate(found):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{base + number * APART}")
    stack_file.write_text(text)


def _free_block(size: int) -> int:
    drawn = random.Random(os.getpid())
    while True:
        base = drawn.randrange(LOWEST, HIGHEST)
        if all(_is_free(port) for port in range(base, base + size)):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

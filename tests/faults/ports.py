"""Ports of a stack that stay its own while nothing listens there: stand-ins are ended and started again on them."""

import re
from pathlib import Path

from tests.ports import free_ports

APART = 2


def settle(stack_file: Path) -> None:
    """Gives every loopback address of the file a port of its own, with the next one free for Modal's second."""
    text = stack_file.read_text()
    found = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    free = free_ports(len(found) * APART)[::APART]
    for port, own in zip(found, free, strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{own}")
    stack_file.write_text(text)

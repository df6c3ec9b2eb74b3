"""Identifiers in the shapes that Fly uses, and the one user of this cloud."""

import secrets
import time

EMAIL = "local@example.com"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ulid() -> str:
    """26 characters, sortable by creation time: 48 bits of milliseconds, 80 random bits."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def new_machine_id() -> str:
    return secrets.token_hex(7)


def new_release_id() -> str:
    return f"rel_{secrets.token_hex(10)}"

"""Whose library: a user and one of its profiles. Both become parts of object keys and are held to a strict form."""

import re
from typing import NamedTuple

SYSTEM_SESSION = "system"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Owner(NamedTuple):
    """One library. Build it with `parse_owner`: the fields are then safe inside an object key."""

    user_id: str
    profile_id: str


def parse_owner(user_id: str, profile_id: str) -> Owner:
    """Raises ValueError for anything but 1-64 letters, digits, `-` and `_` that begin with a letter or digit."""
    for what, value in (("user", user_id), ("profile", profile_id)):
        if not _NAME.fullmatch(value):
            raise ValueError(f"{what} id {value[:80]!r} must be 1-64 letters, digits, '-' or '_'")
    return Owner(user_id, profile_id)

"""Identifiers: a prefix that names the entity, and 80 random bits."""

import secrets
from typing import Literal

Prefix = Literal["med", "gam", "clp", "prj", "edt", "exp", "rel"]


def new_id(prefix: Prefix) -> str:
    return f"{prefix}_{secrets.token_hex(10)}"

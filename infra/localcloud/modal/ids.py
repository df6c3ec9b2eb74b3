"""Object ids in Modal's form: a two-letter prefix and 22 letters or digits, for example `ap-0f3c…`."""

import secrets


def new_id(prefix: str) -> str:
    """Random, 88 bits, so that an id can serve as a capability on loopback."""
    return f"{prefix}-{secrets.token_hex(11)}"

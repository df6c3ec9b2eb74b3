"""Property values as rules see them: JSON in which secrets and what is not known yet are marked."""

import enum
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

MARK: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- the protocol's name for a secret, not one
UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What the engine's protocol puts in the place of an unknown value, by type (pulumi, sdk/go/common/resource/plugin)."""


class Unknown(enum.Enum):
    """Not known before the apply."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Secret | Unknown | None"


@dataclass(frozen=True)
class Secret:
    """A value that is marked secret; it never shows itself."""

    value: Value = field(repr=False)


class NotKnownError(Exception):
    """A rule needs a value that a preview cannot know; the message is the property's path."""


class UnreadableError(Exception):
    """A value has no form that a rule can judge; that counts as a violation."""


def from_wire(value: object) -> Value:
    """From the engine's protocol: its marks become Secret and UNKNOWN."""
    if isinstance(value, Mapping):
        if value.get(MARK) == SECRET:
            return Secret(from_wire(value.get("value")))
        return {str(key): from_wire(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [from_wire(part) for part in value]
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS else value
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"a property cannot be a {type(value).__name__}")


def unsecret(value: Value) -> Value:
    """The value without its outermost secret mark."""
    return unsecret(value.value) if isinstance(value, Secret) else value


def known(value: Value, path: str) -> Value:
    """The value itself; raises NotKnownError where it is unknown."""
    if value is UNKNOWN:
        raise NotKnownError(path)
    return value


def plain_texts(value: Value, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every text that is not inside a secret."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from plain_texts(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from plain_texts(part, f"{path}[{at}]")


def object_of(text: str) -> dict[str, Value] | None:
    """The JSON object that a text is, or None."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return {key: from_wire(part) for key, part in found.items()} if isinstance(found, dict) else None


SECRET_WORDS: Final = frozenset(
    {"token", "secret", "password", "passwd", "passphrase", "credential", "credentials", "key"}
)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: its last word says so (`R2_SECRET_ACCESS_KEY`, `verifyToken`)."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]
    return bool(words) and words[-1] in SECRET_WORDS and "public" not in words

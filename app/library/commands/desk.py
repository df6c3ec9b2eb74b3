"""What a command works with, and how it ends."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from app.storage.keys import Keys
from app.storage.port import ObjectStore

FINE = 0
REFUSED = 1


class Desk(NamedTuple):
    """`say` prints one line."""

    objects: ObjectStore
    keys: Keys
    clock: Callable[[], datetime]
    say: Callable[[str], None]


class Consent(NamedTuple):
    """What the caller permits of a command that changes something."""

    yes: bool
    dry_run: bool


def refusal(desk: Desk, consent: Consent) -> int | None:
    """The exit code where nothing may be changed, said after the plan was; None: go on."""
    if consent.dry_run:
        desk.say("dry run: nothing was changed")
        return FINE
    if not consent.yes:
        desk.say("refused, nothing was changed: say --yes to do it, --dry-run to see this only")
        return REFUSED
    return None

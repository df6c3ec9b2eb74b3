"""Libraries by owner, bounded by the bytes that they hold. Forgetting one costs a reload, never correctness."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from app.kit.owner import Owner
from app.library.library import Library

_MAX_CONNECTED = 16


class Cache:
    """Connections, copies of the image that take a moment to make, are kept for the few latest libraries only."""

    def __init__(self, make: Callable[[Owner], Library], max_bytes: int) -> None:
        self._make = make
        self._max_bytes = max_bytes
        self._libraries: OrderedDict[Owner, Library] = OrderedDict()
        self._connected: OrderedDict[Owner, None] = OrderedDict()
        self._bytes: dict[Owner, int] = {}
        self._unsettled: set[Owner] = set()
        self._total = 0

    @property
    def held_bytes(self) -> int:
        """As of the last `settle` of each library."""
        return self._total

    def get(self, owner: Owner) -> Library:
        library = self._libraries.get(owner)
        if library is None:
            library = self._libraries[owner] = self._make(owner)
        self._libraries.move_to_end(owner)
        return library

    def all(self) -> list[Library]:
        return list(self._libraries.values())

    def settle(self, owner: Owner) -> None:
        """After a use: counts again what this one holds, and makes room.

        Of those that are idle, the least recently used lose first their connections, then their place.
        """
        for each in {owner, *self._unsettled}:
            self._count(each)
        self._connected[owner] = None
        self._connected.move_to_end(owner)
        for candidate in self._idle(self._connected):
            if len(self._connected) > _MAX_CONNECTED or self._total > self._max_bytes:
                self._close_connections(candidate)
        for candidate in self._idle(self._libraries) if self._total > self._max_bytes else ():
            if self._total > self._max_bytes:
                self._forget(candidate)

    def _idle(self, owners: Iterable[Owner]) -> list[Owner]:
        """The least recently used first."""
        return [owner for owner in owners if owner not in self._libraries or not self._libraries[owner].is_busy]

    def _close_connections(self, owner: Owner) -> None:
        del self._connected[owner]
        if owner in self._libraries:
            self._libraries[owner].connections.drop()
            self._count(owner)

    def _forget(self, owner: Owner) -> None:
        self._connected.pop(owner, None)
        self._libraries.pop(owner).connections.drop()
        self._count(owner)

    def _count(self, owner: Owner) -> None:
        library = self._libraries.get(owner)
        held = library.held_bytes if library else 0
        self._total += held - self._bytes.pop(owner, 0)
        if library:
            self._bytes[owner] = held
        # What is still under way, for callers that have left, may bring more.
        if library and library.is_busy:
            self._unsettled.add(owner)
        else:
            self._unsettled.discard(owner)

"""Libraries by owner, bounded by the bytes that they hold. Forgetting one costs a reload, never correctness."""

from collections import OrderedDict
from collections.abc import Callable

from app.kit.owner import Owner
from app.library.library import Library


class Cache:
    def __init__(self, make: Callable[[Owner], Library], max_bytes: int) -> None:
        self._make = make
        self._max_bytes = max_bytes
        self._libraries: OrderedDict[Owner, Library] = OrderedDict()
        self._bytes: dict[Owner, int] = {}
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
        self._count(owner)
        for give_up in (self._close_connections, self._forget):
            for candidate in list(self._libraries) if self._total > self._max_bytes else ():
                if self._total > self._max_bytes and not self._libraries[candidate].is_busy:
                    give_up(candidate)

    def _close_connections(self, owner: Owner) -> None:
        self._libraries[owner].connections.drop()
        self._count(owner)

    def _forget(self, owner: Owner) -> None:
        del self._libraries[owner]
        self._count(owner)

    def _count(self, owner: Owner) -> None:
        library = self._libraries.get(owner)
        held = library.held_bytes if library else 0
        self._total += held - self._bytes.pop(owner, 0)
        if library:
            self._bytes[owner] = held

"""Hands the services that `create_app` built to routes, by their type."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from starlette.requests import HTTPConnection

_T = TypeVar("_T")


class Container:
    def __init__(self) -> None:
        self._instances: dict[type, object] = {}

    def add(self, kind: type[_T], instance: _T) -> _T:
        self._instances[kind] = instance
        return instance

    def get(self, kind: type[_T]) -> _T:
        """Raises KeyError for a type that was never added: a mistake in the wiring."""
        return cast(_T, self._instances[kind])


def provide(kind: type[_T]) -> Callable[[HTTPConnection], Awaitable[_T]]:
    """A dependency: `Annotated[GamesService, Depends(provide(GamesService))]`."""

    async def get(connection: HTTPConnection) -> _T:
        container = cast(Container, connection.app.state.container)
        return container.get(kind)

    return get

"""What may be done with games. Clips use `find` inside their own transaction."""

import sqlite3

from app.games import store
from app.games.errors import GameInUseError, GameNotFoundError
from app.games.schemas import Game, NewGame
from app.kit.clock import now, rfc3339
from app.kit.errors import FieldError, InvalidError, NotFoundError
from app.kit.ids import new_id
from app.kit.owner import Owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.media import service as media_service


class GamesService:
    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries

    async def create(self, owner: Owner, intent: Intent, new: NewGame) -> Game:
        game = Game(id=new_id("gam"), created_at=rfc3339(now()), **new.model_dump())

        def insert(db: sqlite3.Connection) -> Game:
            _require_media(db, game.media_ids)
            store.insert(db, game)
            return game

        return await self._libraries.commit(owner, intent, insert, Game)

    async def all(self, owner: Owner) -> list[Game]:
        async with self._libraries.read(owner) as db:
            return store.find_all(db)

    async def one(self, owner: Owner, game_id: str) -> Game:
        async with self._libraries.read(owner) as db:
            return find(db, game_id)

    async def delete(self, owner: Owner, intent: Intent, game_id: str) -> None:
        def remove(db: sqlite3.Connection) -> Game:
            game = find(db, game_id)
            if not store.delete(db, game_id):
                raise GameInUseError(f"game {game_id} has clips; delete these first")
            return game

        await self._libraries.commit(owner, intent, remove, Game)


def find(db: sqlite3.Connection, game_id: str) -> Game:
    """Raises GameNotFoundError."""
    game = store.find(db, game_id)
    if game is None:
        raise GameNotFoundError(f"there is no game {game_id}")
    return game


def _require_media(db: sqlite3.Connection, media_ids: list[str]) -> None:
    unknown: list[FieldError] = []
    for index, media_id in enumerate(media_ids):
        try:
            media_service.find(db, media_id)
        except NotFoundError as error:
            unknown.append(FieldError(f"media_ids[{index}]", error.detail))
    if unknown:
        raise InvalidError(unknown[0].message, errors=unknown)

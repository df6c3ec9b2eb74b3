"""`/api/games`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.games.schemas import Game, GameList, NewGame
from app.games.service import GamesService
from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent

router = APIRouter(prefix="/api/games", tags=["games"])
Service = Annotated[GamesService, Depends(provide(GamesService))]


@router.post("", status_code=201)
async def create_game(new: NewGame, owner: CurrentOwner, intent: WriteIntent, service: Service) -> Game:
    return await service.create(owner, intent, new)


@router.get("")
async def list_games(owner: CurrentOwner, service: Service) -> GameList:
    return GameList(items=await service.all(owner))


@router.get("/{game_id}")
async def get_game(game_id: str, owner: CurrentOwner, service: Service) -> Game:
    return await service.one(owner, game_id)


@router.delete("/{game_id}", status_code=204)
async def delete_game(game_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    """Its recordings stay; 409 while it has clips."""
    await service.delete(owner, intent, game_id)

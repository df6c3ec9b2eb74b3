"""`/api/clips`, and the clips of a game."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.clips.schemas import Clip, ClipChange, ClipList, NewClip
from app.clips.service import ClipsService
from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent

router = APIRouter(prefix="/api", tags=["clips"])
Service = Annotated[ClipsService, Depends(provide(ClipsService))]


@router.post("/clips", status_code=201)
async def create_clip(new: NewClip, owner: CurrentOwner, intent: WriteIntent, service: Service) -> Clip:
    return await service.create(owner, intent, new)


@router.get("/games/{game_id}/clips")
async def list_clips(game_id: str, owner: CurrentOwner, service: Service) -> ClipList:
    """In playing order."""
    return ClipList(items=await service.of_game(owner, game_id))


@router.get("/clips/{clip_id}")
async def get_clip(clip_id: str, owner: CurrentOwner, service: Service) -> Clip:
    return await service.one(owner, clip_id)


@router.patch("/clips/{clip_id}")
async def change_clip(
    clip_id: str, change: ClipChange, owner: CurrentOwner, intent: WriteIntent, service: Service
) -> Clip:
    return await service.change(owner, intent, clip_id, change)


@router.delete("/clips/{clip_id}", status_code=204)
async def delete_clip(clip_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    await service.delete(owner, intent, clip_id)

"""`/api/reels`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent
from app.reels.schemas import Download, Reel, ReelList
from app.reels.service import ReelsService

router = APIRouter(prefix="/api/reels", tags=["reels"])
Service = Annotated[ReelsService, Depends(provide(ReelsService))]


@router.get("")
async def list_reels(owner: CurrentOwner, service: Service) -> ReelList:
    return ReelList(items=await service.all(owner))


@router.get("/{reel_id}")
async def get_reel(reel_id: str, owner: CurrentOwner, service: Service) -> Reel:
    return await service.one(owner, reel_id)


@router.delete("/{reel_id}", status_code=204)
async def delete_reel(reel_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    """The row at once, the file soon after."""
    await service.delete(owner, intent, reel_id)


@router.get("/{reel_id}/download")
async def download_reel(reel_id: str, owner: CurrentOwner, service: Service) -> Download:
    """A URL that saves the reel as a file, straight from the store."""
    return await service.download(owner, reel_id)

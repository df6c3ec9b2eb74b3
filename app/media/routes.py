"""`/api/media`: from a file name to a probed recording."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent
from app.media.schemas import (
    CompletedParts,
    Media,
    MediaList,
    MediaUrl,
    NewMedia,
    PartNumbers,
    PartUrls,
    UploadStarted,
)
from app.media.service import MediaService

router = APIRouter(prefix="/api/media", tags=["media"])
Service = Annotated[MediaService, Depends(provide(MediaService))]


@router.post("", status_code=201)
async def start_upload(new: NewMedia, owner: CurrentOwner, intent: WriteIntent, service: Service) -> UploadStarted:
    return await service.start_upload(owner, intent, new)


@router.get("")
async def list_media(owner: CurrentOwner, service: Service) -> MediaList:
    return MediaList(items=await service.all(owner))


@router.get("/{media_id}")
async def get_media(media_id: str, owner: CurrentOwner, service: Service) -> Media:
    return await service.one(owner, media_id)


@router.post("/{media_id}/part-urls")
async def part_urls(media_id: str, wanted: PartNumbers, owner: CurrentOwner, service: Service) -> PartUrls:
    """Fresh URLs for any parts: after the first ones, and when old ones have expired."""
    return await service.part_urls(owner, media_id, wanted.part_numbers)


@router.post("/{media_id}/complete")
async def complete_upload(
    media_id: str, sent: CompletedParts, owner: CurrentOwner, intent: WriteIntent, service: Service
) -> Media:
    return await service.complete(owner, intent, media_id, sent.parts)


@router.delete("/{media_id}/upload", status_code=204)
async def abort_upload(media_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    await service.abort(owner, intent, media_id)


@router.delete("/{media_id}", status_code=204)
async def delete_media(media_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    """The row at once, the file soon after; 409 while a game or an export that is not complete needs it."""
    await service.delete(owner, intent, media_id)


@router.get("/{media_id}/url")
async def media_url(media_id: str, owner: CurrentOwner, service: Service) -> MediaUrl:
    """A URL to play the recording, straight from the store."""
    return await service.url(owner, media_id)

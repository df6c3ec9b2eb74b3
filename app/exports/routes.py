"""`/api/exports`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.exports.schemas import ExportJob, ExportList, NewExport
from app.exports.service import ExportsService
from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent

router = APIRouter(prefix="/api/exports", tags=["exports"])
Service = Annotated[ExportsService, Depends(provide(ExportsService))]


@router.post("", status_code=202)
async def create_export(
    new: NewExport, response: Response, owner: CurrentOwner, intent: WriteIntent, service: Service
) -> ExportJob:
    """Accepted: follow it at `/ws/export/{id}` or poll Location."""
    job = await service.create(owner, intent, new)
    response.headers["location"] = f"/api/exports/{job.id}"
    return job


@router.get("")
async def list_exports(owner: CurrentOwner, service: Service) -> ExportList:
    return ExportList(items=await service.all(owner))


@router.get("/{export_id}")
async def get_export(export_id: str, owner: CurrentOwner, service: Service) -> ExportJob:
    return await service.one(owner, export_id)


@router.delete("/{export_id}", status_code=204)
async def delete_export(export_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    """The record of an export that is over; 409 before that, and while its reel exists."""
    await service.delete(owner, intent, export_id)


@router.post("/{export_id}/cancel")
async def cancel_export(export_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> ExportJob:
    return await service.cancel(owner, intent, export_id)


@router.post("/{export_id}/retry", status_code=202)
async def retry_export(
    export_id: str, response: Response, owner: CurrentOwner, intent: WriteIntent, service: Service
) -> ExportJob:
    """The next attempt, from the input that the export was created with."""
    job = await service.retry(owner, intent, export_id)
    response.headers["location"] = f"/api/exports/{job.id}"
    return job

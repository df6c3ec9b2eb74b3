"""`/api/projects`. Edits are small actions, each with the revision that the editor saw."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from app.http.container import provide
from app.http.dependencies import CurrentOwner, WriteIntent
from app.projects.schemas import CropChange, NewProject, Project, ProjectList
from app.projects.service import ProjectsService

router = APIRouter(prefix="/api/projects", tags=["projects"])
Service = Annotated[ProjectsService, Depends(provide(ProjectsService))]
Frame = Annotated[int, Path(ge=0, le=2**40)]


@router.post("", status_code=201)
async def create_project(new: NewProject, owner: CurrentOwner, intent: WriteIntent, service: Service) -> Project:
    return await service.create(owner, intent, new)


@router.get("")
async def list_projects(owner: CurrentOwner, service: Service) -> ProjectList:
    return ProjectList(items=await service.all(owner))


@router.get("/{project_id}")
async def get_project(project_id: str, owner: CurrentOwner, service: Service) -> Project:
    return await service.one(owner, project_id)


@router.delete("/{project_id}", status_code=204)
async def delete_project(project_id: str, owner: CurrentOwner, intent: WriteIntent, service: Service) -> None:
    """With its clip edits; its clips stay; 409 while it has exports."""
    await service.delete(owner, intent, project_id)


@router.put("/{project_id}/clip-edits/{edit_id}/crop-keyframes/{frame}")
async def put_crop_keyframe(
    project_id: str,
    edit_id: str,
    frame: Frame,
    change: CropChange,
    owner: CurrentOwner,
    intent: WriteIntent,
    service: Service,
) -> Project:
    return await service.put_crop(owner, intent, project_id, edit_id, frame, change)


@router.delete("/{project_id}/clip-edits/{edit_id}/crop-keyframes/{frame}")
async def delete_crop_keyframe(
    project_id: str,
    edit_id: str,
    frame: Frame,
    expected_revision: Annotated[int, Query(ge=1)],
    owner: CurrentOwner,
    intent: WriteIntent,
    service: Service,
) -> Project:
    return await service.delete_crop(owner, intent, project_id, edit_id, frame, expected_revision)

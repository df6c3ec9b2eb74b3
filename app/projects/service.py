"""What may be done with projects. Exports and reels use the functions at the end, inside their own transaction."""

import sqlite3
from collections.abc import Callable

from app.clips import service as clips_service
from app.kit.clock import now, rfc3339
from app.kit.errors import StaleRevisionError
from app.kit.ids import new_id
from app.kit.owner import Owner
from app.kit.recipe import RenderSource
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.media import service as media_service
from app.projects import framing, store
from app.projects.errors import (
    ClipEditNotFoundError,
    CropKeyframeNotFoundError,
    ProjectInUseError,
    ProjectNotFoundError,
)
from app.projects.schemas import ClipEdit, CropChange, NewProject, Project
from gpu.plan.spec import CropKeyframe

_Change = Callable[[sqlite3.Connection, Project, ClipEdit], None]


class ProjectsService:
    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries

    async def create(self, owner: Owner, intent: Intent, new: NewProject) -> Project:
        """Pins each clip at its present revision: a later change of the clip does not move the edit."""
        at = rfc3339(now())

        def insert(db: sqlite3.Connection) -> Project:
            project = Project(
                id=new_id("prj"),
                name=new.name,
                aspect_ratio=new.aspect_ratio,
                revision=1,
                clip_edits=[_pinned(db, clip_id) for clip_id in new.clip_ids],
                created_at=at,
                updated_at=at,
            )
            store.insert(db, project)
            return project

        return await self._libraries.commit(owner, intent, insert, Project)

    async def all(self, owner: Owner) -> list[Project]:
        async with self._libraries.read(owner) as db:
            return store.find_all(db)

    async def one(self, owner: Owner, project_id: str) -> Project:
        async with self._libraries.read(owner) as db:
            return find(db, project_id)

    async def delete(self, owner: Owner, intent: Intent, project_id: str) -> None:
        def remove(db: sqlite3.Connection) -> Project:
            project = find(db, project_id)
            if not store.delete(db, project_id):
                raise ProjectInUseError(f"project {project_id} has exports; delete its reels and exports first")
            return project

        await self._libraries.commit(owner, intent, remove, Project)

    async def put_crop(
        self, owner: Owner, intent: Intent, project_id: str, edit_id: str, frame: int, change: CropChange
    ) -> Project:
        """Set the crop at one frame; raises CropError, StaleRevisionError."""
        crop = CropKeyframe(frame=frame, **change.model_dump(exclude={"expected_revision"}))

        def put(db: sqlite3.Connection, project: Project, edit: ClipEdit) -> None:
            probe = media_service.ready(db, edit.media_id).probe
            framing.require_valid(crop, project.aspect_ratio, probe, edit.out_frame - edit.in_frame)
            store.put_crop(db, edit.id, crop)

        return await self._change(owner, intent, project_id, edit_id, change.expected_revision, put)

    async def delete_crop(
        self, owner: Owner, intent: Intent, project_id: str, edit_id: str, frame: int, expected_revision: int
    ) -> Project:
        def delete(db: sqlite3.Connection, project: Project, edit: ClipEdit) -> None:
            if not store.delete_crop(db, edit.id, frame):
                raise CropKeyframeNotFoundError(f"clip edit {edit.id} has no crop keyframe at frame {frame}")

        return await self._change(owner, intent, project_id, edit_id, expected_revision, delete)

    async def _change(
        self, owner: Owner, intent: Intent, project_id: str, edit_id: str, expected_revision: int, change: _Change
    ) -> Project:
        def apply(db: sqlite3.Connection) -> Project:
            project = find(db, project_id)
            edit = next((edit for edit in project.clip_edits if edit.id == edit_id), None)
            if edit is None:
                raise ClipEditNotFoundError(f"project {project_id} has no clip edit {edit_id}")
            if project.revision != expected_revision:
                raise StaleRevisionError(f"project {project_id}", expected_revision, project.revision)
            change(db, project, edit)
            store.set_revision(db, project_id, project.revision + 1, rfc3339(now()))
            return find(db, project_id)

        return await self._libraries.commit(owner, intent, apply, Project)


def find(db: sqlite3.Connection, project_id: str) -> Project:
    """Raises ProjectNotFoundError."""
    project = store.find(db, project_id)
    if project is None:
        raise ProjectNotFoundError(f"there is no project {project_id}")
    return project


def framing_source(db: sqlite3.Connection, project_id: str) -> RenderSource:
    """The project as it is now; raises ProjectNotFoundError or MediaNotReadyError."""
    project = find(db, project_id)
    probe = media_service.ready(db, project.clip_edits[0].media_id).probe
    return RenderSource(recipe=framing.recipe(project, probe), title=project.name, project_id=project_id)


def recipe_hashes(db: sqlite3.Connection) -> dict[str, str]:
    """What a framing export of each project would be made from now, by project id."""
    probes = media_service.probes(db)
    return {
        project.id: framing.recipe(project, probes[media_id]).sha256
        for project in store.find_all(db)
        if (media_id := project.clip_edits[0].media_id) in probes
    }


def _pinned(db: sqlite3.Connection, clip_id: str) -> ClipEdit:
    clip = clips_service.find(db, clip_id)
    return ClipEdit(
        id=new_id("edt"),
        clip_id=clip.id,
        clip_revision=clip.revision,
        media_id=clip.media_id,
        in_frame=clip.in_frame,
        out_frame=clip.out_frame,
        crop_keyframes=[],
    )

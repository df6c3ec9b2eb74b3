"""The tables projects, clip_edits and crop_keyframes; any number of projects is read in three queries."""

import sqlite3
from collections import defaultdict

from app.projects.schemas import ClipEdit, Project
from gpu.plan.spec import CropKeyframe

_PROJECTS = "SELECT * FROM projects WHERE :id IS NULL OR id = :id ORDER BY created_at DESC, id"
_EDITS = "SELECT * FROM clip_edits WHERE :id IS NULL OR project_id = :id ORDER BY position"
_CROPS = """SELECT crop_keyframes.* FROM crop_keyframes JOIN clip_edits ON clip_edits.id = edit_id
    WHERE :id IS NULL OR project_id = :id ORDER BY frame"""


def insert(db: sqlite3.Connection, project: Project) -> None:
    db.execute(
        "INSERT INTO projects VALUES (:id, :name, :aspect_ratio, :revision, :created_at, :updated_at)",
        project.model_dump(exclude={"clip_edits"}),
    )
    for position, edit in enumerate(project.clip_edits):
        db.execute(
            """INSERT INTO clip_edits VALUES (:id, :project_id, :position, :clip_id, :clip_revision, :media_id,
               :in_frame, :out_frame)""",
            {**edit.model_dump(exclude={"crop_keyframes"}), "project_id": project.id, "position": position},
        )
        for crop in edit.crop_keyframes:
            put_crop(db, edit.id, crop)


def set_revision(db: sqlite3.Connection, project_id: str, revision: int, updated_at: str) -> None:
    db.execute("UPDATE projects SET revision = ?, updated_at = ? WHERE id = ?", (revision, updated_at, project_id))


def delete(db: sqlite3.Connection, project_id: str) -> bool:
    """False when it has exports; the caller's transaction must then not be committed."""
    edits = "SELECT id FROM clip_edits WHERE project_id = ?"
    db.execute(f"DELETE FROM crop_keyframes WHERE edit_id IN ({edits})", (project_id,))  # noqa: S608 -- our own text
    db.execute("DELETE FROM clip_edits WHERE project_id = ?", (project_id,))
    try:
        db.execute("DELETE FROM projects WHERE id = ?", (project_id,))
    except sqlite3.IntegrityError:
        return False
    return True


def put_crop(db: sqlite3.Connection, edit_id: str, crop: CropKeyframe) -> None:
    db.execute(
        """INSERT OR REPLACE INTO crop_keyframes
           VALUES (:edit_id, :frame, :x, :y, :width, :height, :easing)""",
        {**crop.model_dump(), "edit_id": edit_id},
    )


def delete_crop(db: sqlite3.Connection, edit_id: str, frame: int) -> bool:
    """False when there was none."""
    return db.execute("DELETE FROM crop_keyframes WHERE edit_id = ? AND frame = ?", (edit_id, frame)).rowcount == 1


def find(db: sqlite3.Connection, project_id: str) -> Project | None:
    found = _load(db, project_id)
    return found[0] if found else None


def find_all(db: sqlite3.Connection) -> list[Project]:
    return _load(db, None)


def _load(db: sqlite3.Connection, project_id: str | None) -> list[Project]:
    """One project, or all for None."""
    wanted = {"id": project_id}
    crops: defaultdict[str, list[CropKeyframe]] = defaultdict(list)
    for row in db.execute(_CROPS, wanted):
        crop = dict(row)
        crops[crop.pop("edit_id")].append(CropKeyframe.model_validate(crop))
    edits: defaultdict[str, list[ClipEdit]] = defaultdict(list)
    for row in db.execute(_EDITS, wanted):
        edit = ClipEdit.model_validate({**dict(row), "crop_keyframes": crops[row["id"]]})
        edits[row["project_id"]].append(edit)
    rows = db.execute(_PROJECTS, wanted)
    return [Project.model_validate({**dict(row), "clip_edits": edits[row["id"]]}) for row in rows]

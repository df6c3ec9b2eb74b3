"""Bodies of `/api/projects`."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from app.kit.schema import Request, Response
from gpu.plan.spec import CropKeyframe, Easing

AspectRatio = Literal["9:16", "16:9", "1:1", "4:5"]
Revision = Annotated[int, Field(ge=1)]


class NewProject(Request):
    """One clip for now; the list is there because a project is a sequence."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    aspect_ratio: AspectRatio
    clip_ids: Annotated[list[str], Field(min_length=1, max_length=1)]


class CropChange(Request):
    """A rectangle in source pixels after rotation, origin at the top left."""

    expected_revision: Revision
    x: FiniteFloat
    y: FiniteFloat
    width: Annotated[FiniteFloat, Field(gt=0)]
    height: Annotated[FiniteFloat, Field(gt=0)]
    easing: Easing = "smooth"


class ClipEdit(Response):
    """A clip as it was when it came into the project; keyframe frames count from `in_frame`."""

    id: str
    clip_id: str
    clip_revision: int
    media_id: str
    in_frame: int
    out_frame: int
    crop_keyframes: list[CropKeyframe]


class Project(Response):
    """`revision` rises with every change of the project or its clip edits."""

    id: str
    name: str
    aspect_ratio: AspectRatio
    revision: int
    clip_edits: list[ClipEdit]
    created_at: str
    updated_at: str


class ProjectList(Response):
    items: list[Project]

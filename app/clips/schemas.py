"""Bodies of `/api/clips`. A range is half-open: `in_frame` is the first frame, `out_frame` the first one after."""

from typing import Annotated

from pydantic import AfterValidator, Field

from app.kit.schema import Request, Response

MAX_NOTES = 280
MAX_TAGS = 20


def _each_once(tags: list[str]) -> list[str]:
    if len(set(tags)) != len(tags):
        raise ValueError("must name each tag once")
    return tags


Frame = Annotated[int, Field(ge=0, le=2**40)]
Rating = Annotated[int, Field(ge=1, le=5)]
Tag = Annotated[str, Field(min_length=1, max_length=40)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_each_once)]
Notes = Annotated[str, Field(max_length=MAX_NOTES)]


class NewClip(Request):
    game_id: str
    media_id: str
    in_frame: Frame
    out_frame: Frame
    rating: Rating
    tags: Tags = Field(default_factory=list)
    notes: Notes = ""


class ClipChange(Request):
    """What is left out, or null, stays as it is."""

    expected_revision: Annotated[int, Field(ge=1)]
    in_frame: Frame | None = None
    out_frame: Frame | None = None
    rating: Rating | None = None
    tags: Tags | None = None
    notes: Notes | None = None


class Clip(Response):
    id: str
    game_id: str
    media_id: str
    in_frame: int
    out_frame: int
    rating: int
    tags: list[str]
    notes: str
    revision: int
    created_at: str
    updated_at: str


class ClipList(Response):
    items: list[Clip]

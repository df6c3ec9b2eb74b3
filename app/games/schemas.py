"""Bodies of `/api/games`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.kit.schema import Request, Response

Venue = Literal["home", "away", "tournament"]
MAX_MEDIA = 20


def _each_once(ids: list[str]) -> list[str]:
    if len(set(ids)) != len(ids):
        raise ValueError("must name each media once")
    return ids


class NewGame(Request):
    """`media_ids` in playing order, such as first and second half."""

    opponent: Annotated[str, Field(min_length=1, max_length=120)]
    played_on: date
    venue: Venue
    media_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_MEDIA), AfterValidator(_each_once)]


class Game(Response):
    id: str
    opponent: str
    played_on: date
    venue: Venue
    media_ids: list[str]
    created_at: str


class GameList(Response):
    items: list[Game]

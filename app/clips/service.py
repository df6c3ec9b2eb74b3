"""What may be done with clips. Other domains use the functions at the end, inside their own transaction."""

import sqlite3

from app.clips import store
from app.clips.errors import ClipInUseError, ClipNotFoundError, ClipRangeError
from app.clips.schemas import Clip, ClipChange, NewClip
from app.games import service as games_service
from app.kit.clock import now, rfc3339
from app.kit.errors import FieldError, StaleRevisionError
from app.kit.ids import new_id
from app.kit.owner import Owner
from app.kit.recipe import Recipe, RenderSource
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.media import service as media_service
from gpu.plan.spec import EditSpec


class ClipsService:
    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries

    async def create(self, owner: Owner, intent: Intent, new: NewClip) -> Clip:
        at = rfc3339(now())
        clip = Clip(id=new_id("clp"), revision=1, created_at=at, updated_at=at, **new.model_dump())

        def insert(db: sqlite3.Connection) -> Clip:
            _require_fit(db, clip)
            store.insert(db, clip)
            return clip

        return await self._libraries.commit(owner, intent, insert, Clip)

    async def of_game(self, owner: Owner, game_id: str) -> list[Clip]:
        async with self._libraries.read(owner) as db:
            games_service.find(db, game_id)
            return store.find_of_game(db, game_id)

    async def one(self, owner: Owner, clip_id: str) -> Clip:
        async with self._libraries.read(owner) as db:
            return find(db, clip_id)

    async def change(self, owner: Owner, intent: Intent, clip_id: str, change: ClipChange) -> Clip:
        values = change.model_dump(exclude={"expected_revision"}, exclude_none=True)

        def update(db: sqlite3.Connection) -> Clip:
            clip = find(db, clip_id)
            if clip.revision != change.expected_revision:
                raise StaleRevisionError(f"clip {clip_id}", change.expected_revision, clip.revision)
            stamp = {"revision": clip.revision + 1, "updated_at": rfc3339(now())}
            changed = clip.model_copy(update={**values, **stamp})
            _require_fit(db, changed)
            store.update(db, changed)
            return changed

        return await self._libraries.commit(owner, intent, update, Clip)

    async def delete(self, owner: Owner, intent: Intent, clip_id: str) -> None:
        def remove(db: sqlite3.Connection) -> Clip:
            clip = find(db, clip_id)
            if not store.delete(db, clip_id):
                raise ClipInUseError(f"clip {clip_id} is part of a project; it stays")
            return clip

        await self._libraries.commit(owner, intent, remove, Clip)


def find(db: sqlite3.Connection, clip_id: str) -> Clip:
    """Raises ClipNotFoundError."""
    clip = store.find(db, clip_id)
    if clip is None:
        raise ClipNotFoundError(f"there is no clip {clip_id}")
    return clip


def extraction(db: sqlite3.Connection, clip_id: str) -> RenderSource:
    """The clip as it is in its recording; raises ClipNotFoundError."""
    clip = find(db, clip_id)
    game = games_service.find(db, clip.game_id)
    return RenderSource(recipe=_recipe(clip), title=f"{game.opponent} {game.played_on} clip", clip_id=clip_id)


def recipe_hashes(db: sqlite3.Connection) -> dict[str, str]:
    """What an extraction of each clip would be made from now, by clip id."""
    return {clip.id: _recipe(clip).sha256 for clip in store.find_all(db)}


def _recipe(clip: Clip) -> Recipe:
    spec = EditSpec.of_clip(in_frame=clip.in_frame, out_frame=clip.out_frame)
    return Recipe(kind="extract", media_id=clip.media_id, spec=spec)


def _require_fit(db: sqlite3.Connection, clip: Clip) -> None:
    """0 <= in < out <= frames of the media, which is ready and belongs to the game."""
    game = games_service.find(db, clip.game_id)
    if clip.media_id not in game.media_ids:
        raise _misfit("media_id", f"media {clip.media_id} does not belong to game {game.id}")
    frame_count = media_service.ready(db, clip.media_id).probe.frame_count
    if clip.out_frame <= clip.in_frame:
        raise _misfit("out_frame", f"out_frame {clip.out_frame} must be after in_frame {clip.in_frame}")
    if clip.out_frame > frame_count:
        raise _misfit("out_frame", f"out_frame {clip.out_frame} is beyond the recording's {frame_count} frames")


def _misfit(field: str, message: str) -> ClipRangeError:
    return ClipRangeError(message, errors=[FieldError(field, message)])

"""What is in a library of a given size: seeded rows of a season's games, written by the domains' own stores."""

import hashlib
import random
import sqlite3
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import NamedTuple

from app.clips import store as clips
from app.clips.schemas import Clip
from app.exports import store as exports
from app.exports.store import ExportRow
from app.games import store as games
from app.games.schemas import Game
from app.kit.clock import rfc3339
from app.kit.ids import Prefix
from app.kit.recipe import Recipe
from app.kit.schema import Response
from app.library.schema import migrate
from app.media import store as media
from app.media.store import MediaRow
from app.projects import store as projects
from app.projects.schemas import ClipEdit, Project
from app.reels import store as reels
from app.reels.store import ReelRow
from bench.library.wording import PLAYERS, TAGS, TEAMS, notes
from gpu.contract import RenderResult
from gpu.plan.spec import CropKeyframe, EditSpec, OutputSize, ProbeInfo

SEED = 7
_TABLES = ("media", "games", "game_media", "clips", "projects", "clip_edits", "crop_keyframes", "exports", "reels")
_FIRST_GAME = datetime(2025, 3, 1, 10, tzinfo=UTC)
_FPS = 30
_HALF_FRAMES = 45 * 60 * _FPS
_CLIPS_OF_GAME = 16
_FEWEST_CLIPS = 8


class Filled(Response):
    """What the commit that fills a library answers."""

    clips: int


class Contents(NamedTuple):
    """Rows by table, parents first."""

    rows: dict[str, list[tuple[object, ...]]]
    clip_ids: tuple[str, ...]

    def fill(self, db: sqlite3.Connection) -> Filled:
        """A commit's handler."""
        for table, rows in self.rows.items():
            if rows:
                places = ", ".join("?" * len(rows[0]))
                db.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # our own names
        return Filled(clips=len(self.clip_ids))


@cache
def contents(size_bytes: int, seed: int = SEED) -> Contents:
    """Rows that make an image of `size_bytes`, at least one game's; empty tables have 123 KB. Same seed, same rows."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.row_factory = sqlite3.Row
    migrate(db)
    db.execute("BEGIN")
    season = _Season(db, random.Random(f"library/{seed}"))
    season.add_game(size_bytes)
    while image_bytes(db) < size_bytes:
        season.add_game(size_bytes)
    rows = {table: [tuple(row) for row in db.execute(f"SELECT * FROM {table}")] for table in _TABLES}
    db.close()
    return Contents(rows, tuple(str(row[0]) for row in rows["clips"]))


def image_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the database as a file."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    return int(pages * page_bytes)


class _Season:
    """Adds games to an open transaction; every id has 80 random bits, as those of `app.kit.ids`."""

    def __init__(self, db: sqlite3.Connection, rng: random.Random) -> None:
        self._db = db
        self._rng = rng
        self._kickoff = _FIRST_GAME

    def add_game(self, until_bytes: int) -> None:
        """Two halves and their clips, every eighth with a project and a reel; stops early at `until_bytes`."""
        self._kickoff += timedelta(days=self._rng.choice((3, 4, 7)))
        halves = [self._half(number) for number in (1, 2)]
        game = Game(
            id=self._id("gam"),
            opponent=f"{self._rng.choice(TEAMS)} U{self._rng.randint(9, 15)}",
            played_on=date.fromordinal(self._kickoff.toordinal()),
            venue=self._rng.choice(("home", "away", "tournament")),
            media_ids=[half.id for half in halves],
            created_at=self._at(3),
        )
        games.insert(self._db, game)
        for number in range(_CLIPS_OF_GAME):
            if number >= _FEWEST_CLIPS and image_bytes(self._db) >= until_bytes:
                return
            clip = self._clip(game, self._rng.choice(halves))
            if number % 8 == 0:
                self._reel(game, clip)

    def _half(self, number: int) -> MediaRow:
        media_id = self._id("med")
        probe = ProbeInfo(
            width=1920,
            height=1080,
            rotation=0,
            fps_num=_FPS,
            fps_den=1,
            frame_count=_HALF_FRAMES,
            duration_ms=_HALF_FRAMES * 1000 // _FPS,
            video_codec="h264",
            pixel_format="yuv420p",
            audio_codec="aac",
            audio_sample_rate=48000,
            audio_channels=2,
        )
        row = MediaRow(
            id=media_id,
            filename=f"{self._kickoff:%Y%m%d}_half{number}.mp4",
            content_type="video/mp4",
            size_bytes=self._rng.randint(2_000_000_000, 4_000_000_000),
            object_key=f"production/users/bench/profiles/default/media/{media_id}",
            upload_id=self._rng.randbytes(64).hex(),
            status="ready",
            error=None,
            probe_json=probe.model_dump_json(),
            created_at=self._at(2),
        )
        media.insert(self._db, row)
        return row

    def _clip(self, game: Game, half: MediaRow) -> Clip:
        in_frame = self._rng.randrange(_HALF_FRAMES - 20 * _FPS)
        at = self._at(self._rng.uniform(4, 48))
        clip = Clip(
            id=self._id("clp"),
            game_id=game.id,
            media_id=half.id,
            in_frame=in_frame,
            out_frame=in_frame + self._rng.randint(4, 15) * _FPS,
            rating=self._rng.randint(1, 5),
            tags=self._rng.sample(TAGS, self._rng.randint(0, 4)),
            notes=notes(self._rng),
            revision=1,
            created_at=at,
            updated_at=at,
        )
        clips.insert(self._db, clip)
        return clip

    def _reel(self, game: Game, clip: Clip) -> None:
        project = self._project(game, clip)
        (edit,) = project.clip_edits
        spec = EditSpec.of_clip(
            in_frame=edit.in_frame,
            out_frame=edit.out_frame,
            crop_keyframes=tuple(edit.crop_keyframes),
            size=OutputSize(width=1080, height=1920),
        )
        recipe = Recipe(kind="framing", media_id=edit.media_id, spec=spec)
        export_id, reel_id = self._id("exp"), self._id("rel")
        frames = recipe.frames_total
        result = RenderResult(
            width=1080,
            height=1920,
            fps_num=_FPS,
            fps_den=1,
            frame_count=frames,
            duration_ms=frames * 1000 // _FPS,
            audio_duration_ms=frames * 1000 // _FPS,
            size_bytes=self._rng.randint(2_000_000, 12_000_000),
            sha256=self._rng.randbytes(32).hex(),
            engine="pyav",
            plan_sha256=self._rng.randbytes(32).hex(),
        )
        output_key = f"production/users/bench/profiles/default/renders/{recipe.sha256}/{export_id}.mp4"
        exports.insert(
            self._db,
            ExportRow(
                id=export_id,
                kind="framing",
                project_id=project.id,
                clip_id=None,
                recipe_json=recipe.model_dump_json(),
                recipe_sha256=recipe.sha256,
                source_key=f"production/users/bench/profiles/default/media/{edit.media_id}",
                output_key=output_key,
                title=project.name,
                status="complete",
                attempt=1,
                restarts=0,
                renderer="modal",
                call_id=f"fc-{self._rng.randbytes(13).hex()}",
                result_json=result.model_dump_json(),
                phase="uploading",
                frames_done=frames,
                frames_total=frames,
                reel_id=reel_id,
                error_code=None,
                error_message=None,
                created_at=self._at(50),
                updated_at=self._at(50.2),
            ),
        )
        measured = result.model_dump(exclude={"audio_duration_ms", "engine", "plan_sha256"})
        reels.insert(
            self._db,
            ReelRow(
                id=reel_id,
                export_id=export_id,
                project_id=project.id,
                clip_id=None,
                version=1,
                recipe_sha256=hashlib.sha256(recipe.model_dump_json().encode()).hexdigest(),
                object_key=output_key,
                title=project.name,
                created_at=self._at(50.3),
                **measured,
            ),
        )

    def _project(self, game: Game, clip: Clip) -> Project:
        edit = ClipEdit(
            id=self._id("edt"),
            clip_id=clip.id,
            clip_revision=clip.revision,
            media_id=clip.media_id,
            in_frame=clip.in_frame,
            out_frame=clip.out_frame,
            crop_keyframes=[
                CropKeyframe(frame=frame, x=self._rng.uniform(0, 1312), y=0.0, width=607.5, height=1080.0)
                for frame in range(0, clip.out_frame - clip.in_frame, _FPS)
            ],
        )
        project = Project(
            id=self._id("prj"),
            name=f"{self._rng.choice(PLAYERS)} against {game.opponent}",
            aspect_ratio="9:16",
            revision=len(edit.crop_keyframes) + 1,
            clip_edits=[edit],
            created_at=self._at(49),
            updated_at=self._at(49.5),
        )
        projects.insert(self._db, project)
        return project

    def _id(self, prefix: Prefix) -> str:
        return f"{prefix}_{self._rng.randbytes(10).hex()}"

    def _at(self, hours_after_kickoff: float) -> str:
        jitter = timedelta(milliseconds=self._rng.randrange(60_000))
        return rfc3339(self._kickoff + timedelta(hours=hours_after_kickoff) + jitter)

"""The games table and the order of a game's media."""

import json
import sqlite3

from app.games.schemas import Game

_SELECT = """SELECT games.*, (SELECT json_group_array(media_id) FROM
    (SELECT media_id FROM game_media WHERE game_id = games.id ORDER BY position)) AS media_ids_json FROM games"""


def insert(db: sqlite3.Connection, game: Game) -> None:
    db.execute(
        "INSERT INTO games VALUES (?, ?, ?, ?, ?)",
        (game.id, game.opponent, game.played_on.isoformat(), game.venue, game.created_at),
    )
    db.executemany(
        "INSERT INTO game_media VALUES (?, ?, ?)",
        [(game.id, position, media_id) for position, media_id in enumerate(game.media_ids)],
    )


def delete(db: sqlite3.Connection, game_id: str) -> bool:
    """False when a clip is of this game; the caller's transaction must then not be committed."""
    db.execute("DELETE FROM game_media WHERE game_id = ?", (game_id,))
    try:
        db.execute("DELETE FROM games WHERE id = ?", (game_id,))
    except sqlite3.IntegrityError:
        return False
    return True


def find(db: sqlite3.Connection, game_id: str) -> Game | None:
    row = db.execute(f"{_SELECT} WHERE id = ?", (game_id,)).fetchone()
    return _game(row) if row else None


def find_all(db: sqlite3.Connection) -> list[Game]:
    return [_game(row) for row in db.execute(f"{_SELECT} ORDER BY played_on DESC, created_at DESC")]


def _game(row: sqlite3.Row) -> Game:
    values = dict(row)
    return Game.model_validate({**values, "media_ids": json.loads(values.pop("media_ids_json"))})

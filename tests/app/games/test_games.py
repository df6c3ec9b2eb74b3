from typing import Any

import pytest

from tests.app.backend import Backend

GAME: dict[str, Any] = {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "away"}


async def test_a_game_keeps_the_order_of_its_recordings(backend: Backend) -> None:
    first, second = await backend.uploaded(), await backend.uploaded()
    ids = [second["id"], first["id"]]
    game = await backend.client.post("/api/games", {**GAME, "media_ids": ids})
    assert game["media_ids"] == ids
    assert {name: game[name] for name in GAME} == GAME
    assert await backend.client.get(f"/api/games/{game['id']}") == game
    assert await backend.client.get("/api/games") == {"items": [game]}


async def test_games_are_listed_newest_first(backend: Backend) -> None:
    media = await backend.uploaded()
    for day in ("2026-01-02", "2026-03-01", "2025-12-31"):
        await backend.client.post("/api/games", {**GAME, "played_on": day, "media_ids": [media["id"]]})
    listed = await backend.client.get("/api/games")
    assert [game["played_on"] for game in listed["items"]] == ["2026-03-01", "2026-01-02", "2025-12-31"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opponent", ""),
        ("opponent", "x" * 121),
        ("played_on", "yesterday"),
        ("venue", "moon"),
        ("media_ids", []),
        ("media_ids", ["a", "a"]),
        ("media_ids", [f"m{n}" for n in range(21)]),
    ],
)
async def test_wrong_games_are_refused(backend: Backend, field: str, value: Any) -> None:
    problem = await backend.client.post("/api/games", {**GAME, "media_ids": ["x"], field: value}, 422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_unknown_recordings_and_games_are_named(backend: Backend) -> None:
    media = await backend.uploaded()
    problem = await backend.client.post("/api/games", {**GAME, "media_ids": [media["id"], "med_0"]}, 422)
    assert problem["errors"] == [{"field": "media_ids[1]", "message": "there is no media med_0"}]
    assert (await backend.client.get("/api/games/gam_0", 404))["code"] == "game_not_found"

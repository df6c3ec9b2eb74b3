"""What can go wrong with games."""

from app.kit.errors import NotFoundError


class GameNotFoundError(NotFoundError):
    code = "game_not_found"
    title = "No such game"

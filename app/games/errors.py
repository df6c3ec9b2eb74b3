"""What can go wrong with games."""

from app.kit.errors import ConflictError, NotFoundError


class GameNotFoundError(NotFoundError):
    code = "game_not_found"
    title = "No such game"


class GameInUseError(ConflictError):
    code = "game_in_use"
    title = "Game is in use"

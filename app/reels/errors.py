"""What can go wrong with reels."""

from app.kit.errors import NotFoundError


class ReelNotFoundError(NotFoundError):
    code = "reel_not_found"
    title = "No such reel"

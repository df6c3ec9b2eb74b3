"""What can go wrong with clips."""

from app.kit.errors import ConflictError, InvalidError, NotFoundError


class ClipNotFoundError(NotFoundError):
    code = "clip_not_found"
    title = "No such clip"


class ClipInUseError(ConflictError):
    code = "clip_in_use"
    title = "Clip is in use"


class ClipRangeError(InvalidError):
    """The range is not inside its recording, or the recording does not belong to the game."""

    code = "clip_range"
    title = "Clip does not fit its recording"

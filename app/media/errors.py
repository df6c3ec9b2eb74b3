"""What can go wrong with media."""

from app.kit.errors import ConflictError, InvalidError, NotFoundError


class MediaNotFoundError(NotFoundError):
    code = "media_not_found"
    title = "No such media"


class MediaInUseError(ConflictError):
    code = "media_in_use"
    title = "Media is in use"


class MediaNotReadyError(ConflictError):
    """The media is still uploading, being probed, or failed."""

    code = "media_not_ready"
    title = "Media is not ready"


class UploadClosedError(ConflictError):
    """The upload is finished, aborted or expired."""

    code = "upload_closed"
    title = "Upload is closed"


class UploadMismatchError(InvalidError):
    """What was uploaded is not what was declared; the upload stays open and can be completed after a correction."""

    code = "upload_mismatch"
    title = "Upload does not match"

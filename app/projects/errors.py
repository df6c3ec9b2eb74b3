"""What can go wrong with projects."""

from app.kit.errors import ConflictError, InvalidError, NotFoundError


class ProjectNotFoundError(NotFoundError):
    code = "project_not_found"
    title = "No such project"


class ProjectInUseError(ConflictError):
    code = "project_in_use"
    title = "Project is in use"


class ClipEditNotFoundError(NotFoundError):
    code = "clip_edit_not_found"
    title = "No such clip edit"


class CropKeyframeNotFoundError(NotFoundError):
    code = "crop_keyframe_not_found"
    title = "No such crop keyframe"


class CropError(InvalidError):
    """The crop leaves the picture, the clip, or the project's aspect ratio."""

    code = "crop_invalid"
    title = "Crop does not fit"

"""What can go wrong with exports."""

from app.kit.errors import ConflictError, NotFoundError


class ExportNotFoundError(NotFoundError):
    code = "export_not_found"
    title = "No such export"


class ExportActiveError(ConflictError):
    code = "export_active"
    title = "Export is under way"


class ExportInUseError(ConflictError):
    code = "export_in_use"
    title = "Export has a reel"


class ExportNotCancellableError(ConflictError):
    code = "export_not_cancellable"
    title = "Export cannot be cancelled"


class ExportNotRetryableError(ConflictError):
    code = "export_not_retryable"
    title = "Export cannot be retried"


class SupersededError(Exception):
    """The row moved on without this worker: cancelled, finished or taken over."""

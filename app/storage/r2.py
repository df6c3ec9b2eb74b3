"""R2 as Storage: one place that knows which library does what."""

from app.settings import R2Settings
from app.storage.multipart import Boto3Uploads
from app.storage.objects import R2ObjectStore
from app.storage.port import Storage
from app.storage.presign import SigV4Presigner


def open_r2(settings: R2Settings) -> Storage:
    """Opens no connection."""
    return Storage(R2ObjectStore(settings), Boto3Uploads(settings), SigV4Presigner(settings))

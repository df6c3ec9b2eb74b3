"""A stand-in for Cloudflare R2: its S3 API on loopback, with its rules on signatures and writes."""

from infra.localcloud.r2.control import Control
from infra.localcloud.r2.protocol import (
    Bucket,
    BucketControl,
    BucketControlError,
    BucketExistsError,
    BucketNotEmptyError,
    BucketNotFoundError,
    CorsRule,
    InvalidBucketNameError,
    Permission,
)
from infra.localcloud.r2.server import R2

__all__ = [
    "R2",
    "Bucket",
    "BucketControl",
    "BucketControlError",
    "BucketExistsError",
    "BucketNotEmptyError",
    "BucketNotFoundError",
    "Control",
    "CorsRule",
    "InvalidBucketNameError",
    "Permission",
]

"""Which bucket a call on `/accounts/{account}/r2/buckets/{bucket}…` means."""

from starlette.requests import Request

from infra.localcloud.cloudflare.envelope import CloudflareError, unimplemented
from infra.localcloud.r2.protocol import BucketControl

BUCKETS = "/accounts/{account}/r2/buckets"
BUCKET = BUCKETS + "/{bucket}"


def bucket_name(control: BucketControl, request: Request) -> str:
    """The bucket in the path, which exists; else 10006."""
    default_jurisdiction_only(request)
    name: str = request.path_params["bucket"]
    if not control.has_bucket(name):
        raise CloudflareError(404, 10006, "The specified bucket does not exist.")
    return name


def default_jurisdiction_only(request: Request) -> None:
    jurisdiction = request.headers.get("cf-r2-jurisdiction", "default")
    if jurisdiction != "default":
        raise unimplemented(f"the R2 jurisdiction {jurisdiction!r}, only 'default'")

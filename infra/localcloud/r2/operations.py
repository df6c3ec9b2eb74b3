"""Which S3 call a request is, by S3's own name."""

from infra.localcloud.r2.http import Request

_VERBS = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}
_SUBRESOURCES = {
    "accelerate": "AccelerateConfiguration",
    "acl": "Acl",
    "analytics": "AnalyticsConfiguration",
    "attributes": "Attributes",
    "cors": "Cors",
    "encryption": "Encryption",
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "inventory": "InventoryConfiguration",
    "legal-hold": "LegalHold",
    "lifecycle": "LifecycleConfiguration",
    "location": "Location",
    "logging": "Logging",
    "metrics": "MetricsConfiguration",
    "notification": "NotificationConfiguration",
    "object-lock": "LockConfiguration",
    "ownershipControls": "OwnershipControls",
    "policy": "Policy",
    "policyStatus": "PolicyStatus",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "Replication",
    "requestPayment": "RequestPayment",
    "restore": "Restore",
    "retention": "Retention",
    "select": "Content",
    "tagging": "Tagging",
    "torrent": "Torrent",
    "versionId": "Version",
    "versioning": "Versioning",
    "versions": "Versions",
    "website": "Website",
}
_BUCKET_CALLS = {"HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}
_OBJECT_CALLS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


def name_of(request: Request) -> str:
    """E.g. "PutObject" or "GetBucketAcl"; a call that S3 does not know is named by its method."""
    if not request.bucket:
        return "ListBuckets" if request.method == "GET" else f"{request.method} on the account"
    for name in request.query:
        if name in _SUBRESOURCES:
            level = "Object" if request.key else "Bucket"
            return f"{_VERBS.get(request.method, request.method.title())}{level}{_SUBRESOURCES[name]}"
    return _object_call(request) if request.key else _bucket_call(request)


def _object_call(request: Request) -> str:
    method, query = request.method, request.query
    copies = "x-amz-copy-source" in request.headers
    if "uploadId" in query:
        uploading = "UploadPartCopy" if copies else "UploadPart"
        calls = {
            "PUT": uploading,
            "POST": "CompleteMultipartUpload",
            "DELETE": "AbortMultipartUpload",
            "GET": "ListParts",
        }
        return calls.get(method, f"{method} of an upload")
    if "partNumber" in query:
        return f"{_OBJECT_CALLS.get(method, method)} with partNumber"
    if method == "POST":
        return "CreateMultipartUpload" if "uploads" in query else "PostObject"
    if method == "PUT" and copies:
        return "CopyObject"
    return _OBJECT_CALLS.get(method, f"{method} of an object")


def _bucket_call(request: Request) -> str:
    method, query = request.method, request.query
    if method == "POST":
        return "DeleteObjects" if "delete" in query else "PostObject"
    if method == "GET":
        if "uploads" in query:
            return "ListMultipartUploads"
        return "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects"
    return _BUCKET_CALLS.get(method, f"{method} of a bucket")

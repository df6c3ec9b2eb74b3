"""S3 errors as R2 answers them: the class name is the `Code`, `status` the HTTP status, the text the `Message`.

Codes and statuses are those of R2's error reference, developers.cloudflare.com/r2/api/error-codes.
"""

from collections.abc import Mapping


class S3Error(Exception):
    """An answer that is an error document; `headers` are added to it."""

    status = 400
    message = ""

    def __init__(self, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message or self.message)
        self.headers = dict(headers or {})

    @property
    def code(self) -> str:
        return type(self).__name__


class AccessDenied(S3Error):
    status = 403


class BadDigest(S3Error):
    pass


class ClientDisconnect(S3Error):
    message = "The client closed the connection before the body was complete."


class EntityTooLarge(S3Error):
    message = "Your proposed upload exceeds the maximum allowed object size."


class EntityTooSmall(S3Error):
    message = "Your proposed upload is smaller than the minimum allowed object size."


class ExpiredRequest(S3Error):
    status = 403
    message = "Request has expired"


class IncompleteBody(S3Error):
    pass


class InternalError(S3Error):
    status = 500
    message = "We encountered an internal error; the reason is in the log of the stand-in."


class InvalidArgument(S3Error):
    pass


class InvalidDigest(S3Error):
    message = "The checksum or Content-MD5 you specified is not valid."


class InvalidMaxKeys(S3Error):
    message = "MaxKeys params must be positive integer <= 1000."


class InvalidObjectName(S3Error):
    message = "The specified object name is not valid: at most 1024 bytes of UTF-8."


class InvalidPart(S3Error):
    message = "One or more of the specified parts could not be found."


class InvalidPartOrder(S3Error):
    message = "The list of parts was not in ascending order."


class InvalidRange(S3Error):
    status = 416
    message = "The requested range is not satisfiable"


class InvalidRegionName(S3Error):
    pass


class InvalidRequest(S3Error):
    pass


class MalformedXML(S3Error):
    message = "The XML you provided was not well formed or did not validate against our published schema."


class MetadataTooLarge(S3Error):
    message = "Your metadata headers exceed the maximum allowed metadata size of 8192 bytes."


class MissingContentLength(S3Error):
    status = 411
    message = "You must provide the Content-Length HTTP header."


class NoSuchBucket(S3Error):
    status = 404
    message = "The specified bucket does not exist."


class NoSuchKey(S3Error):
    status = 404
    message = "The specified key does not exist."


class NoSuchUpload(S3Error):
    status = 404
    message = "The specified multipart upload does not exist."


class NotImplemented(S3Error):
    status = 501


class PreconditionFailed(S3Error):
    status = 412
    message = "At least one of the pre-conditions you specified did not hold."


class RequestTimeTooSkewed(S3Error):
    status = 403
    message = "The difference between the request time and the server's time is too large."


class SignatureDoesNotMatch(S3Error):
    status = 403
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your secret access key and signing method."
    )


class TooManyRequests(S3Error):
    status = 429
    message = "Reduce your concurrent request rate for the same object."


class Unauthorized(S3Error):
    status = 401
    message = "Unauthorized"


class XAmzContentSHA256Mismatch(S3Error):
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."

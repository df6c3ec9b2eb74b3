"""The ASGI application: names the call, authenticates it, checks its permission, runs it, and adds CORS headers."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from infra.localcloud.r2 import authentication, cors, errors, operations, xml
from infra.localcloud.r2.calls import listing, multipart, multipart_listing, objects
from infra.localcloud.r2.calls.call import Call, Context, Handler
from infra.localcloud.r2.calls.screening import screen
from infra.localcloud.r2.http import Answer, Content, Receive, Request, Scope, Send, send_answer
from infra.localcloud.r2.protocol import CorsRule, Permission

logger = logging.getLogger(__name__)

REMEMBERED_CALLS = 10_000
_CALLS: dict[str, tuple[Permission, Handler]] = {
    "GetObject": ("read", objects.get_object),
    "HeadObject": ("read", objects.get_object),
    "PutObject": ("write", objects.put_object),
    "CopyObject": ("write", objects.copy_object),
    "DeleteObject": ("write", objects.delete_object),
    "DeleteObjects": ("write", objects.delete_objects),
    "HeadBucket": ("read", listing.head_bucket),
    "ListObjectsV2": ("read", listing.list_objects_v2),
    "CreateMultipartUpload": ("write", multipart.create_multipart_upload),
    "UploadPart": ("write", multipart.upload_part),
    "CompleteMultipartUpload": ("write", multipart.complete_multipart_upload),
    "AbortMultipartUpload": ("write", multipart.abort_multipart_upload),
    "ListParts": ("read", multipart_listing.list_parts),
    "ListMultipartUploads": ("read", multipart_listing.list_multipart_uploads),
}
# R2 has these, but for keys of the whole account; the keys here are all scoped to one bucket.
_ACCOUNT_CALLS = frozenset(
    {
        "ListBuckets",
        "CreateBucket",
        "DeleteBucket",
        "GetBucketCors",
        "PutBucketCors",
        "DeleteBucketCors",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycleConfiguration",
    }
)


class ServedCall(NamedTuple):
    """What tests may assert on: S3's name of the call ("OPTIONS" for a preflight), its object, and the HTTP status."""

    operation: str
    bucket: str
    key: str
    status: int


class Gateway:
    def __init__(self, context: Context, clock: Callable[[], float]) -> None:
        self._context = context
        self._clock = clock
        self.served: deque[ServedCall] = deque(maxlen=REMEMBERED_CALLS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = Request(scope, receive)
        except errors.S3Error as error:
            await send_answer(send, _error_answer(error), without_body=scope["method"] == "HEAD", close=True)
            return
        operation = operations.name_of(request)
        if request.method == "OPTIONS":
            operation, answer = "OPTIONS", self._preflight(request)
        else:
            answer = await self._answer(request, operation)
            if origin := request.headers.get("origin"):
                answer.headers |= cors.answer_headers(self._cors_rules(request), origin, request.method)
        self.served.append(ServedCall(operation, request.bucket, request.key, answer.status))
        try:
            await send_answer(send, answer, without_body=request.method == "HEAD", close=request.awaits_continue)
            if answer.content is not None:
                await _stream(send, request, answer.content)
        finally:
            if answer.content is not None:
                answer.content.close()

    async def _answer(self, request: Request, operation: str) -> Answer:
        try:
            return await self._run(request, operation)
        except errors.S3Error as error:
            return _error_answer(error)
        except Exception:
            logger.exception("%s of %s/%s failed", operation, request.bucket, request.key)
            return _error_answer(errors.InternalError())

    async def _run(self, request: Request, operation: str) -> Answer:
        if operation not in _CALLS and operation not in _ACCOUNT_CALLS:
            raise errors.NotImplemented(f"{operation} not implemented")
        credentials, now = self._context.storage.credentials, self._clock()
        signer = authentication.authenticate(request, credentials.secret_of, now)
        grant = credentials.get(signer.access_key_id)
        if grant is None:
            raise errors.Unauthorized
        if operation in _ACCOUNT_CALLS:
            raise errors.AccessDenied(
                f"{operation} needs an account's key; this one is for bucket {grant.bucket!r} only"
            )
        permission, handler = _CALLS[operation]
        if request.bucket != grant.bucket:
            raise errors.AccessDenied(f"the key has no access to bucket {request.bucket!r}")
        if permission == "write" and grant.permission == "read":
            raise errors.AccessDenied(f"{operation} needs write permission; this key may only read")
        screen(request, operation)
        return await handler(self._context, Call(request, signer, grant, now))

    def _preflight(self, request: Request) -> Answer:
        headers = cors.preflight_headers(self._cors_rules(request), request.headers)
        if headers:
            return Answer(204, headers)
        return _error_answer(errors.AccessDenied("CORS not configured for this bucket, origin, method or header"))

    def _cors_rules(self, request: Request) -> list[CorsRule]:
        buckets = self._context.storage.buckets
        return buckets.cors(request.bucket) if buckets.has(request.bucket) else []


async def _stream(send: Send, request: Request, content: Content) -> None:
    """Stops reading from disk when the client has gone: the server swallows what is sent after that."""
    gone = asyncio.create_task(request.wait_for_disconnect())
    try:
        async for chunk in content:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


def _error_answer(error: errors.S3Error) -> Answer:
    headers = {"content-type": "application/xml", **error.headers}
    return Answer(error.status, headers, xml.error_document(error.code, str(error)))

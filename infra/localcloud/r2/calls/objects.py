"""GetObject, HeadObject, PutObject, CopyObject, DeleteObject, DeleteObjects."""

from urllib.parse import unquote

from infra.localcloud.r2 import errors, ranges, xml
from infra.localcloud.r2.calls import bodies, metadata
from infra.localcloud.r2.calls.call import Call, Context, iso_time, require_bucket
from infra.localcloud.r2.conditions import Conditions
from infra.localcloud.r2.http import Answer
from infra.localcloud.r2.store.objects import NewObject, Segment, StoredObject

INLINE_BYTES = 256 << 10
MAX_DELETED_KEYS = 1000


async def get_object(context: Context, call: Call) -> Answer:
    storage, request = context.storage, call.request
    found = storage.objects.find(call.bucket, call.key)
    if found is None:
        require_bucket(context, call)
        raise errors.NoSuchKey
    headers = metadata.to_answer(found, request.query)
    if Conditions.of(request.headers).is_unchanged(found):
        return Answer(304, {name: headers[name] for name in ("etag", "last-modified")})
    span = _span(call, found)
    if span is not None:
        headers["content-range"] = span.content_range(found.size)
    status, (start, size) = (206, span) if span else (200, ranges.Span(0, found.size))
    headers["content-length"] = str(size)
    if request.method == "HEAD":
        return Answer(status, headers)
    slices = storage.objects.slices(found, start, size)
    if size <= INLINE_BYTES:
        return Answer(status, headers, body=storage.blobs.read(slices))
    return Answer(status, headers, content=storage.blobs.reader(slices))


async def put_object(context: Context, call: Call) -> Answer:
    require_bucket(context, call)
    headers = metadata.to_store(call.request)
    blob = await bodies.receive(call, context.storage.blobs)
    try:
        new = NewObject([Segment(blob.name, blob.size)], blob.md5, headers, call.now)
        commit(context, call, new, Conditions.of(call.request.headers))
    except BaseException:
        context.storage.blobs.remove([blob.name])
        raise
    return Answer(headers={"etag": f'"{blob.md5}"'})


async def copy_object(context: Context, call: Call) -> Answer:
    """Shares the bytes of the source, which must be in a bucket that the key may read."""
    storage, headers = context.storage, call.request.headers
    bucket, key = _copy_source(headers["x-amz-copy-source"])
    if bucket != call.grant.bucket:
        raise errors.AccessDenied(f"the key has no access to the source bucket {bucket!r}")
    directive = headers.get("x-amz-metadata-directive", "COPY")
    if directive not in ("COPY", "REPLACE", "MERGE"):
        raise errors.InvalidArgument(f"metadata directive {directive}.")
    with storage.database.transaction():
        source = storage.objects.find(bucket, key)
        if source is None:
            require_bucket(context, call)
            raise errors.NoSuchKey
        if Conditions.of(headers, "x-amz-copy-source-").is_unchanged(source):
            raise errors.PreconditionFailed
        stored = _copied_headers(call, source, directive)
        new = NewObject(storage.objects.segments(source), source.etag, stored, call.now)
        commit(context, call, new, Conditions.of(headers, "cf-copy-destination-"))
    result = [xml.tag("LastModified", iso_time(call.now)), xml.tag("ETag", f'"{source.etag}"')]
    return Answer(body=xml.document("CopyObjectResult", result))


async def delete_object(context: Context, call: Call) -> Answer:
    require_bucket(context, call)
    context.storage.blobs.remove(context.storage.objects.delete(call.bucket, call.key))
    return Answer(204)


async def delete_objects(context: Context, call: Call) -> Answer:
    """R2 lists what it deleted even when `Quiet` is set (workers-sdk, miniflare `r2/s3/operations`)."""
    require_bucket(context, call)
    entries = xml.parse(await bodies.document(call), "Delete").findall("Object")
    if not 1 <= len(entries) <= MAX_DELETED_KEYS:
        raise errors.MalformedXML
    if any(entry.find("VersionId") is not None for entry in entries):
        raise errors.NotImplemented("DeleteObjects with VersionId not implemented")
    keys = [xml.required(entry, "Key") for entry in entries]
    blobs: list[str] = []
    with context.storage.database.transaction():
        for key in keys:
            blobs += context.storage.objects.delete(call.bucket, key)
    context.storage.blobs.remove(blobs)
    deleted = [xml.group("Deleted", [xml.tag("Key", key)]) for key in keys]
    return Answer(body=xml.document("DeleteResult", deleted))


def commit(context: Context, call: Call, new: NewObject, conditions: Conditions) -> None:
    """Puts the object in place if the bucket is there, the conditions hold and the key may be written: all in one step.

    There is no await between the check and the commit, and no other thread gets in: that is what makes it atomic.
    """
    storage = context.storage
    with storage.database.transaction():
        require_bucket(context, call)
        current = storage.objects.find(call.bucket, call.key)
        conditions.require_for_write(current)
        context.limit.admit(call.bucket, call.key)
        freed = storage.objects.put(call.bucket, call.key, new, current)
    storage.blobs.remove(freed)


def _span(call: Call, found: StoredObject) -> ranges.Span | None:
    header = call.request.headers.get("range")
    if header is None or not _if_range_holds(call, found):
        return None
    return ranges.parse(header, found.size)


def _if_range_holds(call: Call, found: StoredObject) -> bool:
    """A browser that resumes a download asks with If-Range (RFC 9110, 13.1.5): another version is sent whole."""
    validator = call.request.headers.get("if-range")
    if validator is None:
        return True
    return validator == f'"{found.etag}"' or validator == metadata.to_answer(found, {})["last-modified"]


def _copy_source(header: str) -> tuple[str, str]:
    path, _, query = header.partition("?")
    if query:
        raise errors.NotImplemented(f"CopyObject of a version ({query}) not implemented")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise errors.InvalidArgument(f"copy source {header!r} is not bucket/key")
    return bucket, key


def _copied_headers(call: Call, source: StoredObject, directive: str) -> dict[str, str]:
    if directive == "COPY":
        return source.headers
    given = metadata.to_store(call.request)
    if directive == "REPLACE":
        return given
    if "content-type" not in call.request.headers:
        del given["content-type"]
    return source.headers | given

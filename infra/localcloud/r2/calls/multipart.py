"""Multipart uploads: create, upload a part, complete, abort. Parts but the last must have one size, at least 5 MiB."""

import hashlib
import itertools
import secrets
from collections.abc import Sequence

from infra.localcloud.r2 import errors, xml
from infra.localcloud.r2.calls import bodies, metadata
from infra.localcloud.r2.calls.call import Call, Context, require_bucket
from infra.localcloud.r2.calls.objects import commit
from infra.localcloud.r2.conditions import Conditions
from infra.localcloud.r2.http import Answer
from infra.localcloud.r2.store.objects import NewObject, Segment
from infra.localcloud.r2.store.uploads import Part, Upload

MIN_PART_BYTES = 5 << 20
MAX_PARTS = 10_000


async def create_multipart_upload(context: Context, call: Call) -> Answer:
    """Conditions are checked now and, if given there, again by CompleteMultipartUpload."""
    require_bucket(context, call)
    storage = context.storage
    Conditions.of(call.request.headers).require_for_write(storage.objects.find(call.bucket, call.key))
    upload = Upload(secrets.token_urlsafe(48), call.bucket, call.key, metadata.to_store(call.request), call.now)
    storage.uploads.create(upload)
    result = [xml.tag("Bucket", call.bucket), xml.tag("Key", call.key), xml.tag("UploadId", upload.id)]
    return Answer(body=xml.document("InitiateMultipartUploadResult", result))


async def upload_part(context: Context, call: Call) -> Answer:
    storage = context.storage
    number = _part_number(call)
    require_upload(context, call)
    blob = await bodies.receive(call, storage.blobs)
    try:
        with storage.database.transaction():
            upload = require_upload(context, call)
            freed = storage.uploads.put_part(upload, Part(number, blob.name, blob.size, blob.md5, call.now))
    except BaseException:
        storage.blobs.remove([blob.name])
        raise
    storage.blobs.remove(freed)
    return Answer(headers={"etag": f'"{blob.md5}"'})


async def complete_multipart_upload(context: Context, call: Call) -> Answer:
    """The parts become the object's segments in one transaction; when it is refused the upload stays as it was."""
    storage = context.storage
    require_upload(context, call)
    wanted = _wanted_parts(await bodies.document(call))
    with storage.database.transaction():
        upload = require_upload(context, call)
        parts = _chosen(wanted, storage.uploads.parts(upload))
        etag = _etag(parts)
        new = NewObject([Segment(part.blob, part.size) for part in parts], etag, upload.headers, call.now)
        commit(context, call, new, Conditions.of(call.request.headers))
        freed = storage.objects.unnamed(storage.uploads.delete(upload))
    storage.blobs.remove(freed)
    result = [
        xml.tag("Location", f"/{call.bucket}/{call.key}"),
        xml.tag("Bucket", call.bucket),
        xml.tag("Key", call.key),
        xml.tag("ETag", f'"{etag}"'),
    ]
    return Answer(body=xml.document("CompleteMultipartUploadResult", result))


async def abort_multipart_upload(context: Context, call: Call) -> Answer:
    upload = require_upload(context, call)
    context.storage.blobs.remove(context.storage.uploads.delete(upload))
    return Answer(204)


def require_upload(context: Context, call: Call) -> Upload:
    """Raises NoSuchBucket or NoSuchUpload."""
    upload = context.storage.uploads.find(call.bucket, call.key, call.request.query["uploadId"])
    if upload is None:
        require_bucket(context, call)
        raise errors.NoSuchUpload
    return upload


def _part_number(call: Call) -> int:
    text = call.request.query.get("partNumber", "")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PARTS):
        raise errors.InvalidArgument(
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive; not {text!r}"
        )
    return int(text)


def _wanted_parts(body: bytes) -> list[tuple[int, str]]:
    """Part numbers and ETags in the order given, which must ascend."""
    wanted = []
    for part in xml.parse(body, "CompleteMultipartUpload").findall("Part"):
        number = xml.required(part, "PartNumber").strip()
        if not (number.isascii() and number.isdigit()):
            raise errors.MalformedXML
        wanted.append((int(number), xml.required(part, "ETag").strip().strip('"')))
    if not 1 <= len(wanted) <= MAX_PARTS:
        raise errors.MalformedXML
    if any(first >= second for (first, _), (second, _) in itertools.pairwise(wanted)):
        raise errors.InvalidPartOrder
    return wanted


def _chosen(wanted: Sequence[tuple[int, str]], uploaded: Sequence[Part]) -> list[Part]:
    by_number = {part.number: part for part in uploaded}
    chosen = []
    for number, etag in wanted:
        part = by_number.get(number)
        if part is None or part.etag != etag:
            raise errors.InvalidPart
        chosen.append(part)
    _check_sizes([part.size for part in chosen])
    return chosen


def _check_sizes(sizes: Sequence[int]) -> None:
    *leading, last = sizes
    if any(size < MIN_PART_BYTES for size in leading):
        raise errors.EntityTooSmall
    if len(set(leading)) > 1 or (leading and last > leading[0]):
        raise errors.InvalidPart("All non-trailing parts must have the same length.")


def _etag(parts: Sequence[Part]) -> str:
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"

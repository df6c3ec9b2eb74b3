"""ListParts and ListMultipartUploads."""

from infra.localcloud.r2 import errors, xml
from infra.localcloud.r2.calls.call import Call, Context, iso_time, require_bucket
from infra.localcloud.r2.calls.listing import MAX_KEYS, Encode, encoder, max_items
from infra.localcloud.r2.calls.multipart import require_upload
from infra.localcloud.r2.http import Answer
from infra.localcloud.r2.store.uploads import Part, Upload


async def list_parts(context: Context, call: Call) -> Answer:
    upload = require_upload(context, call)
    parameters = call.request.query
    marker = parameters.get("part-number-marker", "0")
    if not (marker.isascii() and marker.isdigit()):
        raise errors.InvalidArgument(f"part-number-marker must be a number, not {marker!r}")
    limit = min(max_items(parameters, "max-parts"), MAX_KEYS)
    parts = [part for part in context.storage.uploads.parts(upload) if part.number > int(marker)]
    page, truncated = parts[:limit], len(parts) > limit
    body = [
        xml.tag("Bucket", call.bucket),
        xml.tag("Key", call.key),
        xml.tag("UploadId", upload.id),
        xml.tag("PartNumberMarker", marker),
        xml.tag("MaxParts", limit),
        xml.tag("IsTruncated", truncated),
        *([xml.tag("NextPartNumberMarker", page[-1].number)] if truncated and page else []),
        *map(_part, page),
        xml.tag("StorageClass", "STANDARD"),
    ]
    return Answer(body=xml.document("ListPartsResult", body))


async def list_multipart_uploads(context: Context, call: Call) -> Answer:
    require_bucket(context, call)
    parameters = call.request.query
    if parameters.get("delimiter"):
        raise errors.NotImplemented("ListMultipartUploads with delimiter not implemented")
    encode = encoder(parameters)
    limit = min(max_items(parameters, "max-uploads"), MAX_KEYS)
    prefix = parameters.get("prefix", "")
    key_marker, id_marker = parameters.get("key-marker", ""), parameters.get("upload-id-marker", "")
    uploads = [
        upload
        for upload in context.storage.uploads.in_bucket(call.bucket)
        if upload.key.startswith(prefix) and _is_after(upload, key_marker, id_marker)
    ]
    page, truncated = uploads[:limit], len(uploads) > limit
    body = [
        xml.tag("Bucket", call.bucket),
        xml.tag("Prefix", encode(prefix)),
        xml.tag("KeyMarker", encode(key_marker)),
        xml.tag("UploadIdMarker", id_marker),
        xml.tag("MaxUploads", limit),
        xml.tag("IsTruncated", truncated),
        *([xml.tag("EncodingType", "url")] if "encoding-type" in parameters else []),
        *(_next_markers(page[-1], encode) if truncated and page else []),
        *(_upload(upload, encode) for upload in page),
    ]
    return Answer(body=xml.document("ListMultipartUploadsResult", body))


def _is_after(upload: Upload, key_marker: str, id_marker: str) -> bool:
    if id_marker:
        return (upload.key, upload.id) > (key_marker, id_marker)
    return not key_marker or upload.key > key_marker


def _next_markers(last: Upload, encode: Encode) -> list[str]:
    return [xml.tag("NextKeyMarker", encode(last.key)), xml.tag("NextUploadIdMarker", last.id)]


def _part(part: Part) -> str:
    return xml.group(
        "Part",
        [
            xml.tag("PartNumber", part.number),
            xml.tag("LastModified", iso_time(part.modified_at)),
            xml.tag("ETag", f'"{part.etag}"'),
            xml.tag("Size", part.size),
        ],
    )


def _upload(upload: Upload, encode: Encode) -> str:
    return xml.group(
        "Upload",
        [
            xml.tag("Key", encode(upload.key)),
            xml.tag("UploadId", upload.id),
            xml.tag("StorageClass", "STANDARD"),
            xml.tag("Initiated", iso_time(upload.created_at)),
        ],
    )

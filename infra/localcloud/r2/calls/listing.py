"""ListObjectsV2 and HeadBucket."""

import base64
import binascii
from collections.abc import Callable, Mapping
from urllib.parse import quote

from infra.localcloud.r2 import errors, xml
from infra.localcloud.r2.calls.call import Call, Context, iso_time, require_bucket
from infra.localcloud.r2.http import Answer
from infra.localcloud.r2.store.listing import Cursor, Listed, Page, Query, list_page

MAX_KEYS = 1000
Encode = Callable[[str], str]


async def head_bucket(context: Context, call: Call) -> Answer:
    require_bucket(context, call)
    return Answer()


async def list_objects_v2(context: Context, call: Call) -> Answer:
    require_bucket(context, call)
    parameters = call.request.query
    if parameters.get("fetch-owner") == "true":
        raise errors.NotImplemented("ListObjectsV2 with fetch-owner not implemented")
    encode = encoder(parameters)
    asked = max_items(parameters, "max-keys")
    query = Query(
        bucket=call.bucket,
        prefix=parameters.get("prefix", ""),
        delimiter=parameters.get("delimiter", ""),
        after=_cursor(parameters),
        limit=min(asked, MAX_KEYS),
    )
    page = list_page(context.storage.database, query)
    body = [
        xml.tag("Name", call.bucket),
        xml.tag("Prefix", encode(query.prefix)),
        *([xml.tag("Delimiter", encode(query.delimiter))] if query.delimiter else []),
        xml.tag("MaxKeys", asked),
        xml.tag("KeyCount", len(page)),
        xml.tag("IsTruncated", page.truncated),
        *_echo(parameters, encode),
        *([xml.tag("NextContinuationToken", _token(page.last))] if page.truncated and page.last else []),
        *_entries(page, encode),
    ]
    return Answer(body=xml.document("ListBucketResult", body))


def encoder(parameters: Mapping[str, str]) -> Encode:
    """How keys are written: as they are, or percent-encoded with encoding-type=url."""
    encoding = parameters.get("encoding-type")
    if encoding not in (None, "url"):
        raise errors.NotImplemented(f'Unrecognized encoding-type "{encoding}" not implemented')
    return (lambda text: quote(text, safe="/~")) if encoding else (lambda text: text)


def max_items(parameters: Mapping[str, str], name: str) -> int:
    """The page size that the client asked for; raises InvalidMaxKeys."""
    text = parameters.get(name, str(MAX_KEYS))
    if not (text.isascii() and text.isdigit()):
        raise errors.InvalidMaxKeys
    return int(text)


def _entries(page: Page, encode: Encode) -> list[str]:
    prefixes = [xml.group("CommonPrefixes", [xml.tag("Prefix", encode(prefix))]) for prefix in page.prefixes]
    return [_contents(listed, encode) for listed in page.objects] + prefixes


def _contents(listed: Listed, encode: Encode) -> str:
    return xml.group(
        "Contents",
        [
            xml.tag("Key", encode(listed.key)),
            xml.tag("LastModified", iso_time(listed.modified_at)),
            xml.tag("ETag", f'"{listed.etag}"'),
            xml.tag("Size", listed.size),
            xml.tag("StorageClass", "STANDARD"),
        ],
    )


def _echo(parameters: Mapping[str, str], encode: Encode) -> list[str]:
    echoed = []
    if "encoding-type" in parameters:
        echoed.append(xml.tag("EncodingType", "url"))
    if "start-after" in parameters:
        echoed.append(xml.tag("StartAfter", encode(parameters["start-after"])))
    if "continuation-token" in parameters:
        echoed.append(xml.tag("ContinuationToken", parameters["continuation-token"]))
    return echoed


def _cursor(parameters: Mapping[str, str]) -> Cursor:
    """A continuation token goes before start-after, as in S3."""
    token = parameters.get("continuation-token")
    if token is None:
        return Cursor(parameters.get("start-after", ""))
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.InvalidArgument("The continuation token provided is incorrect") from error
    if text[:1] not in ("k", "p"):
        raise errors.InvalidArgument("The continuation token provided is incorrect")
    return Cursor(text[1:], is_prefix=text[0] == "p")


def _token(last: Cursor) -> str:
    return base64.urlsafe_b64encode(f"{'p' if last.is_prefix else 'k'}{last.text}".encode()).decode()

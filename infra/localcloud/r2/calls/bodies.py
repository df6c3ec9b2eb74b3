"""Bodies: an upload goes to a blob, SPILL_BYTES at a time and off the event loop; a document is held in memory."""

import asyncio

from infra.localcloud.r2 import errors, xml
from infra.localcloud.r2.calls.call import Call
from infra.localcloud.r2.digests import BodyDigests
from infra.localcloud.r2.store.blobs import Blob, Blobs, BlobWriter

MAX_UPLOAD_BYTES = 5 << 30
SPILL_BYTES = 1 << 20


async def receive(call: Call, blobs: Blobs) -> Blob:
    """A complete blob that has the size and the digests that the client promised; nothing stays behind on an error."""
    length = _content_length(call)
    digests = BodyDigests(call.request.headers, call.signer.body_sha256)
    writer = blobs.writer()
    try:
        await _copy(call, writer, digests)
        digests.verify()
        blob = writer.finish()
    except BaseException:
        writer.discard()
        raise
    if blob.size != length:
        blobs.remove([blob.name])
        raise errors.IncompleteBody(f"Content-Length says {length} bytes, {blob.size} came.")
    return blob


async def document(call: Call) -> bytes:
    """A small XML body that has the digests that the client promised."""
    body = await call.request.body(xml.MAX_DOCUMENT_BYTES)
    digests = BodyDigests(call.request.headers, call.signer.body_sha256)
    digests.update([body])
    digests.verify()
    return body


async def _copy(call: Call, writer: BlobWriter, digests: BodyDigests) -> None:
    pending: list[bytes] = []
    size = 0
    async for chunk in call.request.chunks():
        pending.append(chunk)
        size += len(chunk)
        if size >= SPILL_BYTES:
            await asyncio.to_thread(_absorb, pending, writer, digests)
            pending, size = [], 0
    _absorb(pending, writer, digests)


def _absorb(chunks: list[bytes], writer: BlobWriter, digests: BodyDigests) -> None:
    writer.write(chunks)
    digests.update(chunks)


def _content_length(call: Call) -> int:
    length = call.request.headers.get("content-length")
    if length is None:
        raise errors.MissingContentLength
    if int(length) > MAX_UPLOAD_BYTES:
        raise errors.EntityTooLarge
    return int(length)

"""What an upload tells the client: presigned URLs of its parts."""

from collections.abc import Iterable
from datetime import timedelta

from app.kit.clock import now, rfc3339
from app.media.schemas import PartUrl, PartUrls, Upload
from app.media.store import MediaRow
from app.storage.parts import plan_parts
from app.storage.port import Presigner

PART_URL_LIFETIME_S = 3600
FIRST_PARTS = 20


def part_urls(presign: Presigner, row: MediaRow, numbers: Iterable[int]) -> PartUrls:
    """Raises ValueError for a number that the upload does not have."""
    plan = plan_parts(row.size_bytes)
    expires_at = now() + timedelta(seconds=PART_URL_LIFETIME_S)
    parts = [
        PartUrl(
            part_number=number,
            url=presign.part(row.object_key, row.upload_id, number, lifetime_s=PART_URL_LIFETIME_S).url,
            size_bytes=plan.part_bytes(number),
        )
        for number in numbers
    ]
    return PartUrls(parts=parts, expires_at=rfc3339(expires_at))


def first_urls(presign: Presigner, row: MediaRow) -> Upload:
    plan = plan_parts(row.size_bytes)
    urls = part_urls(presign, row, range(1, min(plan.part_count, FIRST_PARTS) + 1))
    return Upload(
        part_size_bytes=plan.part_size_bytes,
        part_count=plan.part_count,
        parts=urls.parts,
        expires_at=urls.expires_at,
    )

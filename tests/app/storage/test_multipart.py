import httpx
import pytest

from app.storage.parts import BASE_PART_BYTES, plan_parts
from app.storage.port import PartRefusedError, Storage, UploadedPart, UploadGoneError
from infra.localcloud.r2 import R2
from tests.app.waiting import PATIENCE_S

KEY = "development/users/a/profiles/default/media/med_1"


async def put_parts(storage: Storage, upload_id: str, bodies: list[bytes]) -> list[UploadedPart]:
    """As the browser does: each part to its presigned URL."""
    sent = []
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        for number, body in enumerate(bodies, 1):
            response = await http.put(storage.presign.part(KEY, upload_id, number, lifetime_s=60).url, content=body)
            assert response.status_code == 200, response.text
            sent.append(UploadedPart(number, len(body), response.headers["etag"].strip('"')))
    return sent


async def test_presigned_parts_become_one_object(storage: Storage) -> None:
    bodies = [b"a" * BASE_PART_BYTES, b"b" * 1000]
    plan = plan_parts(sum(map(len, bodies)))
    assert plan.part_count == 2
    upload_id = await storage.uploads.create(KEY, "video/quicktime")
    sent = await put_parts(storage, upload_id, bodies)
    assert await storage.uploads.parts(KEY, upload_id) == sent
    await storage.uploads.complete(KEY, upload_id, sent)
    info = await storage.objects.head(KEY)
    assert info is not None
    assert info.size_bytes == plan.size_bytes


async def test_wrong_parts_are_refused_and_nothing_is_lost(storage: Storage) -> None:
    upload_id = await storage.uploads.create(KEY, "video/mp4")
    sent = await put_parts(storage, upload_id, [b"x" * 100, b"y" * 100])
    with pytest.raises(PartRefusedError, match="EntityTooSmall"):
        await storage.uploads.complete(KEY, upload_id, sent)
    with pytest.raises(PartRefusedError, match="InvalidPart"):
        await storage.uploads.complete(KEY, upload_id, [sent[0]._replace(etag="0" * 32)])
    assert await storage.uploads.parts(KEY, upload_id) == sent


async def test_a_finished_upload_is_gone(storage: Storage) -> None:
    upload_id = await storage.uploads.create(KEY, "video/mp4")
    sent = await put_parts(storage, upload_id, [b"x"])
    await storage.uploads.complete(KEY, upload_id, sent)
    with pytest.raises(UploadGoneError):
        await storage.uploads.parts(KEY, upload_id)
    with pytest.raises(UploadGoneError):
        await storage.uploads.complete(KEY, upload_id, sent)


async def test_aborting_twice_is_fine(storage: Storage, r2: R2) -> None:
    upload_id = await storage.uploads.create(KEY, "video/mp4")
    await put_parts(storage, upload_id, [b"x"])
    await storage.uploads.abort(KEY, upload_id)
    await storage.uploads.abort(KEY, upload_id)
    with pytest.raises(UploadGoneError):
        await storage.uploads.parts(KEY, upload_id)


async def test_more_parts_than_one_page_are_all_listed(storage: Storage) -> None:
    upload_id = await storage.uploads.create(KEY, "video/mp4")
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        for number in (1, 500, 1000, 1001, 1002):
            url = storage.presign.part(KEY, upload_id, number, lifetime_s=60).url
            assert (await http.put(url, content=b"x")).status_code == 200
    numbers = [part.part_number for part in await storage.uploads.parts(KEY, upload_id)]
    assert numbers == [1, 500, 1000, 1001, 1002]

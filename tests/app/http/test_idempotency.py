from tests.app.backend import VIDEO, Backend

NEW_MEDIA = {"filename": "game.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}


async def test_repeating_a_request_makes_one_thing_and_gives_the_same_answer(backend: Backend) -> None:
    media = await backend.uploaded()
    game = {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "home", "media_ids": [media["id"]]}
    first = await backend.client.post("/api/games", game, Idempotency_Key="k-1")
    again = await backend.client.post("/api/games", game, Idempotency_Key="k-1")
    assert again == first
    assert len((await backend.client.get("/api/games"))["items"]) == 1


async def test_a_key_belongs_to_one_request(backend: Backend) -> None:
    await backend.client.post("/api/media", NEW_MEDIA, Idempotency_Key="k-1")
    other = {**NEW_MEDIA, "filename": "other.mp4"}
    problem = await backend.client.post("/api/media", other, 422, Idempotency_Key="k-1")
    assert problem["code"] == "idempotency_key_reused"


async def test_a_key_belongs_to_one_user(backend: Backend) -> None:
    first = await backend.client.post("/api/media", NEW_MEDIA, Idempotency_Key="k-1")
    other = await backend.client.post("/api/media", NEW_MEDIA, Idempotency_Key="k-1", X_User_ID="b")
    assert other["media"]["id"] != first["media"]["id"]


async def test_a_repeated_upload_is_the_first_one_with_fresh_urls(backend: Backend) -> None:
    first = await backend.client.post("/api/media", NEW_MEDIA, Idempotency_Key="k-1")
    again = await backend.client.post("/api/media", NEW_MEDIA, Idempotency_Key="k-1")
    assert again["media"] == first["media"]
    assert again["upload"]["parts"] == first["upload"]["parts"]
    assert len(backend.memory.uploads.open) == 1


async def test_a_repeated_export_starts_one_render(backend: Backend) -> None:
    project = await backend.project()
    body = {"kind": "framing", "project_id": project["id"]}
    first = await backend.client.post("/api/exports", body, 202, Idempotency_Key="k-1")
    await backend.export_becomes(first["id"], "complete")
    again = await backend.client.post("/api/exports", body, 202, Idempotency_Key="k-1")
    assert again["id"] == first["id"]
    assert len(backend.renderer.started) == 1
    assert [key for key in backend.memory.objects.bodies if "/jobs/pending/" in key] == []


async def test_a_failed_request_may_be_repeated_with_its_key(backend: Backend) -> None:
    game = {"opponent": "Rovers", "played_on": "2026-09-12", "venue": "home", "media_ids": ["med_unknown"]}
    for _ in range(2):
        problem = await backend.client.post("/api/games", game, 422, Idempotency_Key="k-1")
        assert problem["errors"][0]["field"] == "media_ids[0]"


async def test_a_strange_key_is_400(backend: Backend) -> None:
    await backend.client.post("/api/media", NEW_MEDIA, 400, Idempotency_Key="x" * 256)

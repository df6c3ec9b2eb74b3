"""What may be deleted, in which order, and that the bytes go with the rows: also after faults and crashes."""

from typing import Any

import pytest

from app.kit.owner import Owner
from app.library.libraries import Libraries
from app.storage.keys import Keys
from tests.app.backend import OWNER, VIDEO, Backend, running_backend
from tests.app.memory_storage import MemoryStorage
from tests.app.scripted_renderer import ScriptedRenderer
from tests.app.waiting import until, until_true

KEYS = Keys("development")
JOBS = "development/jobs/"


def videos(memory: MemoryStorage) -> list[str]:
    """Keys of all recordings and rendered files."""
    return sorted(key for key in memory.objects.bodies if "/media/" in key or "/renders/" in key)


def pending(memory: MemoryStorage) -> list[str]:
    return [key for key in memory.objects.bodies if key.startswith(JOBS)]


async def settled(memory: MemoryStorage) -> None:
    await until_true(lambda: pending(memory) == [])


async def reel_of(backend: Backend, project: dict[str, Any]) -> dict[str, Any]:
    export = await backend.export(project["id"])
    done = await backend.export_becomes(export["id"], "complete")
    reel: dict[str, Any] = await backend.client.get(f"/api/reels/{done['reel_id']}")
    return reel


async def delete(backend: Backend, path: str, status: int = 204, /, **headers: str) -> Any:
    return await backend.client.call("DELETE", f"/api/{path}", status, None, **headers)


async def test_everything_goes_in_the_order_that_the_references_allow(backend: Backend) -> None:
    project = await backend.project()
    reel = await reel_of(backend, project)
    edit = project["clip_edits"][0]
    clip = await backend.client.get(f"/api/clips/{edit['clip_id']}")
    order = [
        ("reels", reel["id"], None),
        ("exports", reel["export_id"], "export_in_use"),
        ("projects", project["id"], "project_in_use"),
        ("clips", clip["id"], "clip_in_use"),
        ("games", clip["game_id"], "game_in_use"),
        ("media", clip["media_id"], "media_in_use"),
    ]
    for room, name, code in order[1:]:
        problem = await delete(backend, f"{room}/{name}", 409)
        assert (problem["code"], problem["status"]) == (code, 409)
        assert name in problem["detail"]
    assert len(videos(backend.memory)) == 2
    for room, name, _ in order:
        await delete(backend, f"{room}/{name}")
        await backend.client.get(f"/api/{room}/{name}", 404)
    for room in ("reels", "exports", "projects", "games", "media"):
        assert await backend.client.get(f"/api/{room}") == {"items": []}
    await settled(backend.memory)
    assert videos(backend.memory) == []


@pytest.mark.parametrize("room", ["reels", "exports", "projects", "games", "media"])
async def test_what_is_not_there_or_not_mine_is_404(backend: Backend, room: str) -> None:
    project = await backend.project()
    reel = await reel_of(backend, project)
    clip = await backend.client.get(f"/api/clips/{project['clip_edits'][0]['clip_id']}")
    mine = {
        "reels": reel["id"],
        "exports": reel["export_id"],
        "projects": project["id"],
        "games": clip["game_id"],
        "media": clip["media_id"],
    }
    before = videos(backend.memory)
    assert (await delete(backend, f"{room}/{room}_0", 404))["code"].endswith("_not_found")
    await delete(backend, f"{room}/{mine[room]}", 404, X_User_ID="b")
    await backend.client.get(f"/api/{room}/{mine[room]}")
    await settled(backend.memory)
    assert videos(backend.memory) == before


async def test_a_reel_takes_only_its_own_file_along(backend: Backend) -> None:
    project = await backend.project()
    first, second = await reel_of(backend, project), await reel_of(backend, project)
    await delete(backend, f"reels/{first['id']}")
    await settled(backend.memory)
    [kept] = [key for key in videos(backend.memory) if "/renders/" in key]
    assert kept.endswith(f"/{second['export_id']}.mp4")
    assert (await backend.client.get(f"/api/reels/{second['id']}"))["current"] is True


async def test_deleting_again_with_the_same_key_is_answered_again(backend: Backend) -> None:
    reel = await reel_of(backend, await backend.project())
    for path in (f"reels/{reel['id']}", f"exports/{reel['export_id']}"):
        await delete(backend, path, Idempotency_Key=path)
        await delete(backend, path, Idempotency_Key=path)
        await delete(backend, path, 404)


async def test_an_export_under_way_is_cancelled_before_it_is_deleted(backend: Backend) -> None:
    backend.renderer.automatic = False
    export = await backend.export((await backend.project())["id"])
    await until_true(lambda: backend.renderer.waited_for("call-1"))
    assert (await delete(backend, f"exports/{export['id']}", 409))["code"] == "export_active"
    await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
    backend.renderer.finish("call-1")
    assert [key for key in videos(backend.memory) if "/renders/" in key]
    await delete(backend, f"exports/{export['id']}")
    await settled(backend.memory)
    assert [key for key in videos(backend.memory) if "/renders/" in key] == []


async def test_a_recording_that_an_export_still_reads_stays(backend: Backend) -> None:
    """An extraction outlives its clip and game: then only the export refers to the recording."""
    clip = await backend.clip()
    backend.renderer.automatic = False
    export = await backend.client.post("/api/exports", {"kind": "extract", "clip_id": clip["id"]}, 202)
    await until_true(lambda: backend.renderer.waited_for("call-1"))
    await delete(backend, f"clips/{clip['id']}")
    await delete(backend, f"games/{clip['game_id']}")
    problem = await delete(backend, f"media/{clip['media_id']}", 409)
    assert problem["code"] == "media_in_use"
    assert export["id"] in problem["detail"]
    await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
    await delete(backend, f"media/{clip['media_id']}", 409)
    await backend.client.post(f"/api/exports/{export['id']}/retry", None, 202)
    await until_true(lambda: backend.renderer.waited_for("call-2"))
    backend.renderer.finish("call-2")
    await backend.export_becomes(export["id"], "complete")
    await delete(backend, f"media/{clip['media_id']}")
    await settled(backend.memory)
    [reel_file] = videos(backend.memory)
    assert "/renders/" in reel_file


async def test_an_unfinished_upload_is_aborted(backend: Backend) -> None:
    new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}
    media = (await backend.client.post("/api/media", new))["media"]
    assert len(backend.memory.uploads.open) == 1
    await delete(backend, f"media/{media['id']}")
    assert backend.memory.uploads.open == {}
    await backend.client.get(f"/api/media/{media['id']}", 404)


async def test_media_that_is_being_probed_goes_with_its_job(backend: Backend) -> None:
    backend.renderer.probe_response = None
    new = {"filename": "a.mp4", "content_type": "video/mp4", "size_bytes": len(VIDEO)}
    started = await backend.client.post("/api/media", new)
    media_id = started["media"]["id"]
    parts = {"parts": [{"part_number": 1, "etag": backend.put_part(started, VIDEO)}]}
    await backend.client.post(f"/api/media/{media_id}/complete", parts, 200)
    await delete(backend, f"media/{media_id}")
    await settled(backend.memory)
    assert videos(backend.memory) == []


async def test_bytes_that_could_not_be_deleted_are_deleted_after_a_restart(memory: MemoryStorage) -> None:
    async with running_backend(memory) as backend:
        reel = await reel_of(backend, await backend.project())
        memory.objects.fault = lambda call, key: "before" if call == "delete" and "/renders/" in key else None
        await delete(backend, f"reels/{reel['id']}")
        await until_true(lambda: any(call == "delete" and "/renders/" in key for call, key in memory.objects.calls))
        await backend.client.get(f"/api/reels/{reel['id']}", 404)
    assert [key for key in videos(memory) if "/renders/" in key]
    memory.objects.fault = lambda call, key: None
    async with running_backend(memory):
        await until_true(lambda: not [key for key in videos(memory) if "/renders/" in key])
        await settled(memory)


@pytest.mark.parametrize("what", ["reels", "exports", "media"])
@pytest.mark.parametrize("fate", ["before", "after"])
async def test_a_crash_at_the_commit_never_leaves_a_row_without_bytes(
    memory: MemoryStorage, monkeypatch: pytest.MonkeyPatch, what: str, fate: str
) -> None:
    """Nobody knows whether the row went: the next process finds the marker and looks."""
    monkeypatch.setitem(Libraries.__init__.__kwdefaults__ or {}, "deadline_s", 0.0)
    renderer = ScriptedRenderer(memory.objects)
    async with running_backend(memory, renderer) as backend:
        reel = await reel_of(backend, await backend.project())
        media = await backend.uploaded()
        if what == "exports":
            await delete(backend, f"reels/{reel['id']}")
            await settled(memory)
        paths = {"reels": reel["id"], "exports": reel["export_id"], "media": media["id"]}
        before = videos(memory)
        memory.objects.fault = lambda call, key: fate if call == "create" and "/library/" in key else None
        await delete(backend, f"{what}/{paths[what]}", 503)
        assert pending(memory)
    memory.objects.fault = lambda call, key: None
    async with running_backend(memory, renderer) as backend:

        async def judged() -> bool | None:
            return not pending(memory) or None

        await until(judged)
        answer = await backend.client.http.get(f"/api/{what}/{paths[what]}")
        assert answer.status_code == (200 if fate == "before" else 404)
        if fate == "before" or what == "exports":
            assert videos(memory) == before
        else:
            assert len(videos(memory)) == len(before) - 1


async def test_a_deletion_that_never_happened_leaves_the_file_of_an_export_that_can_be_retried(
    memory: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker is there, the commit is not: the file may be what a later attempt has written by now."""
    monkeypatch.setitem(Libraries.__init__.__kwdefaults__ or {}, "deadline_s", 0.0)
    renderer = ScriptedRenderer(memory.objects, automatic=False)
    async with running_backend(memory, renderer) as backend:
        export = await backend.export((await backend.project())["id"])
        await until_true(lambda: renderer.waited_for("call-1"))
        await backend.client.post(f"/api/exports/{export['id']}/cancel", None, 200)
        renderer.finish("call-1")
        before = videos(memory)
        memory.objects.fault = lambda call, key: "before" if call == "create" and "/library/" in key else None
        await delete(backend, f"exports/{export['id']}", 503)
    memory.objects.fault = lambda call, key: None
    async with running_backend(memory, renderer) as backend:
        await settled(memory)
        await backend.client.get(f"/api/exports/{export['id']}")
        assert videos(memory) == before


async def test_another_users_files_are_never_touched(backend: Backend) -> None:
    project = await backend.project()
    await reel_of(backend, project)
    foreign = KEYS.media(Owner("b", "default"), project["clip_edits"][0]["media_id"])
    backend.memory.objects.bodies[foreign] = b"of b"
    own = await backend.uploaded()
    await delete(backend, f"media/{own['id']}")
    await settled(backend.memory)
    assert backend.memory.objects.bodies[foreign] == b"of b"
    assert KEYS.media(OWNER, own["id"]) not in backend.memory.objects.bodies

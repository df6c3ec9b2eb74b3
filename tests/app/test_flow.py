from tests.app.backend import Backend


async def test_a_recording_becomes_a_reel(backend: Backend) -> None:
    project = await backend.project()
    edit = project["clip_edits"][0]
    body = {"expected_revision": 1, "x": 100, "y": 0, "width": 607.5, "height": 1080}
    path = f"/api/projects/{project['id']}/clip-edits/{edit['id']}/crop-keyframes/0"
    project = await backend.client.call("PUT", path, 200, body)
    export = await backend.export(project["id"])
    done = await backend.export_becomes(export["id"], "complete")
    reels = await backend.client.get("/api/reels")
    assert [reel["id"] for reel in reels["items"]] == [done["reel_id"]]
    assert reels["items"][0]["current"] is True
    download = await backend.client.get(f"/api/reels/{done['reel_id']}/download")
    assert download["filename"] == "Goal of the day-v1.mp4"

"""From a recording to something that can be exported: game, clip, and a project that follows the play."""

from infra.deploy.journey.client import Api, Json


async def make_clip(api: Api, media: Json, seconds: int) -> Json:
    """A clip of the recording's first seconds, in a game of its own."""
    probe = media["probe"]
    game = {"opponent": "Rovers", "played_on": "2026-05-09", "venue": "home", "media_ids": [media["id"]]}
    game_id = (await api.call("POST", "/api/games", game))["id"]
    frames = min(probe["frame_count"], seconds * probe["fps_num"] // probe["fps_den"])
    clip: Json = {"game_id": game_id, "media_id": media["id"], "in_frame": 0, "out_frame": frames, "rating": 5}
    made: Json = await api.call("POST", "/api/clips", {**clip, "tags": ["goal"], "notes": ""})
    return made


async def make_project(api: Api, media: Json, clip: Json) -> Json:
    """A 9:16 project of the clip with a crop that pans."""
    body = {"name": "Reel", "aspect_ratio": "9:16", "clip_ids": [clip["id"]]}
    project: Json = await api.call("POST", "/api/projects", body)
    edit_id = project["clip_edits"][0]["id"]
    for keyframe in pan(media["probe"]["width"], media["probe"]["height"], clip["out_frame"] - clip["in_frame"]):
        path = f"/api/projects/{project['id']}/clip-edits/{edit_id}/crop-keyframes/{keyframe.pop('frame')}"
        change = {"expected_revision": project["revision"], "easing": "smooth", **keyframe}
        project = await api.call("PUT", path, change)
    return project


def pan(width: int, height: int, frames: int) -> list[Json]:
    """Two crop keyframes of the largest 9:16 rectangle: from the left third of the picture to the right third."""
    crop_height = float(height) if height * 9 <= width * 16 else width * 16 / 9
    crop_width = crop_height * 9 / 16
    room_x, room_y = width - crop_width, height - crop_height
    places = ((0, room_x / 3), (max(frames - 1, 1), room_x * 2 / 3))
    return [
        {"frame": frame, "x": x, "y": room_y / 2, "width": crop_width, "height": crop_height}
        for frame, x in places
        if frame < frames
    ]

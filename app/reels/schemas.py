"""Bodies of `/api/reels`."""

from app.kit.schema import Response


class Reel(Response):
    """`current`: the newest version, and made from its project (or clip) as it is now."""

    id: str
    export_id: str
    project_id: str | None
    version: int
    width: int
    height: int
    frame_count: int
    fps_num: int
    fps_den: int
    duration_ms: int
    size_bytes: int
    sha256: str
    current: bool
    created_at: str


class ReelList(Response):
    items: list[Reel]


class Download(Response):
    url: str
    filename: str
    expires_at: str

"""The API of one user's library in memory, on a port that stays the same when the fake goes away and comes back.

Bodies are the backend's own schemas, so that the page is held to them. Every creating call needs an Idempotency-Key;
a repeated key gets the first answer. Faults are attributes.
"""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import av
from fastapi import FastAPI, Header, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import MutableHeaders

from app.clips.schemas import Clip, NewClip
from app.exports.schemas import ExportJob, ExportList, NewFramingExport
from app.games.schemas import Game, GameList, NewGame
from app.http.origins import EXPOSED_HEADERS, REQUEST_HEADERS
from app.http.service_routes import Health, Me
from app.media.schemas import CompletedParts, Media, MediaList, MediaUrl, NewMedia, PartNumbers, PartUrls, UploadStarted
from app.projects.schemas import CropChange, NewProject, Project, ProjectList
from app.reels.schemas import Download, Reel, ReelList
from infra.localcloud.asgi import AsgiServer
from tests.web.fake import problems
from tests.web.fake.problems import ProblemError
from tests.web.fake.renders import Renders
from tests.web.fake.storage import FakeStorage

PART_SIZE = 32 * 1024
NO_LIBRARY = ("/api/health", "/api/me")
Row = dict[str, Any]


class FakeBackend:
    """`requests` lists what was asked as "METHOD /path"; `stale_puts` crop keyframes in a row are refused with 409; the
    next `mismatches` completions are refused with 422; a probe is ready only after `probe_polls` questions.

    `age_s`: answers tell what was so long ago, as while storage is away; None: what is.
    """

    def __init__(self, port: int, storage_port: int, site: str, reel: bytes) -> None:
        self.storage = FakeStorage(storage_port, site)
        self.renders = Renders(reel)
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in ("media", "games", "clips", "projects")}
        self.stale_puts = 0
        self.mismatches = 0
        self.probe_polls = 0
        self.age_s: int | None = None
        self.requests: list[str] = []
        self._answers: dict[str, Row] = {}
        self._called = asyncio.Condition()
        self._port = port
        self._app = self._build(site)
        self._server: AsgiServer | None = None

    async def start(self) -> None:
        await asyncio.gather(self.storage.start(), self.come_back())

    async def stop(self) -> None:
        await asyncio.gather(self.go_away(), self.renders.stop(), self.storage.stop())

    async def go_away(self) -> None:
        """The API stops answering; renders go on, as they do in the cloud."""
        await self.renders.drop_sockets()
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def come_back(self) -> None:
        self._server = AsgiServer(self._app, self._port, websockets=True)
        await self._server.start()

    def add_media(self, filename: str, data: bytes) -> Row:
        """A video that was uploaded before."""
        declared = {"filename": filename, "content_type": "video/mp4", "size_bytes": len(data), "error": None}
        row = self._new("media", declared)
        self.storage.objects[row["id"]] = data
        row |= _probe(data)
        return row

    async def until_called(self, call: str) -> None:
        """Resolves once the request `call` has been answered."""
        async with self._called:
            await self._called.wait_for(lambda: call in self.requests)

    def _build(self, site: str) -> FastAPI:
        app = FastAPI()
        problems.install(app)
        app.add_middleware(
            CORSMiddleware,
            allow_origins=[site],
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )

        @app.middleware("http")
        async def record(request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            if request.url.path not in NO_LIBRARY:
                self._tell(response.headers)
            async with self._called:
                self.requests.append(f"{request.method} {request.url.path}")
                self._called.notify_all()
            return response

        self._add_account(app)
        self._add_media(app)
        self._add_editing(app)
        self._add_exports(app)
        return app

    def _add_account(self, app: FastAPI) -> None:
        @app.get("/api/health", response_model=Health)
        async def health() -> Row:
            return {"status": "ok", "version": "fake", "environment": "test"}

        @app.get("/api/me", response_model=Me)
        async def me(x_user_id: str = Header("a")) -> Row:
            return {"user_id": x_user_id, "profile_id": "default", "environment": "test"}

    def _add_media(self, app: FastAPI) -> None:
        media = self.rows["media"]

        def parts(media_id: str, numbers: list[int]) -> list[Row]:
            size, total = PART_SIZE, media[media_id]["size_bytes"]
            return [
                {
                    "part_number": number,
                    "url": self.storage.part_url(media_id, number),
                    "size_bytes": min(size, total - (number - 1) * size),
                }
                for number in numbers
            ]

        @app.post("/api/media", status_code=201, response_model=UploadStarted)
        async def create(body: NewMedia, idempotency_key: str = Header()) -> Row:
            def make() -> Row:
                row = self._new("media", body.model_dump() | {"status": "uploading", "error": None, "probe": None})
                count = -(-body.size_bytes // PART_SIZE)
                # Only two addresses come at once, so that the page has to ask for the others.
                first = parts(row["id"], list(range(1, min(count, 2) + 1)))
                upload = {"part_size_bytes": PART_SIZE, "part_count": count, "parts": first, "expires_at": _soon()}
                return {"media": row, "upload": upload}

            return self._once(idempotency_key, make)

        @app.post("/api/media/{media_id}/part-urls", response_model=PartUrls)
        async def part_urls(media_id: str, body: PartNumbers) -> Row:
            self._get("media", media_id)
            return {"parts": parts(media_id, body.part_numbers), "expires_at": _soon()}

        @app.post("/api/media/{media_id}/complete", response_model=Media)
        async def complete(media_id: str, body: CompletedParts) -> Row:
            row = self._get("media", media_id)
            count = -(-row["size_bytes"] // PART_SIZE)
            sent = [(part.part_number, part.etag) for part in body.parts]
            stored = [(number, self.storage.etag(media_id, number)) for number in range(1, count + 1)]
            if sent != stored or self.mismatches > 0:
                self.mismatches -= 1
                raise ProblemError(422, "upload_mismatch", "The parts do not match what storage holds.")
            self.storage.objects[media_id] = self.storage.join(media_id, count)
            row["status"] = "probing"
            return row

        @app.delete("/api/media/{media_id}/upload", status_code=204)
        async def abort(media_id: str) -> None:
            self._get("media", media_id)
            self.storage.discard(media_id)
            del media[media_id]

        @app.get("/api/media", response_model=MediaList)
        async def list_media() -> Row:
            return {"items": list(media.values())}

        @app.get("/api/media/{media_id}", response_model=Media)
        async def one(media_id: str) -> Row:
            row = self._get("media", media_id)
            if row["status"] == "probing":
                self.probe_polls -= 1
                if self.probe_polls < 0:
                    row |= _probe(self.storage.objects[media_id])
            return row

        @app.get("/api/media/{media_id}/url", response_model=MediaUrl)
        async def url(media_id: str) -> Row:
            self._get("media", media_id)
            return {"url": self.storage.object_url(media_id), "expires_at": _soon()}

    def _add_editing(self, app: FastAPI) -> None:
        @app.get("/api/games", response_model=GameList)
        async def list_games() -> Row:
            return {"items": list(self.rows["games"].values())}

        @app.post("/api/games", status_code=201, response_model=Game)
        async def create_game(body: NewGame, idempotency_key: str = Header()) -> Row:
            return self._once(idempotency_key, lambda: self._new("games", body.model_dump()))

        @app.post("/api/clips", status_code=201, response_model=Clip)
        async def create_clip(body: NewClip, idempotency_key: str = Header()) -> Row:
            probe = self._get("media", body.media_id)["probe"]
            if not body.in_frame < body.out_frame <= probe["frame_count"]:
                raise ProblemError(
                    422, "invalid_request", f"frames {body.in_frame}-{body.out_frame} are not in the video"
                )
            return self._once(idempotency_key, lambda: self._new("clips", body.model_dump() | {"revision": 1}))

        @app.get("/api/projects", response_model=ProjectList)
        async def list_projects() -> Row:
            return {"items": list(self.rows["projects"].values())}

        @app.post("/api/projects", status_code=201, response_model=Project)
        async def create_project(body: NewProject, idempotency_key: str = Header()) -> Row:
            clip = self._get("clips", body.clip_ids[0])
            pinned = {key: clip[key] for key in ("media_id", "in_frame", "out_frame")}
            edit = {"id": "edit-1", "clip_id": clip["id"], "clip_revision": 1, "crop_keyframes": []} | pinned
            row = body.model_dump(exclude={"clip_ids"}) | {"revision": 1, "clip_edits": [edit]}
            return self._once(idempotency_key, lambda: self._new("projects", row))

        @app.get("/api/projects/{project_id}", response_model=Project)
        async def project(project_id: str) -> Row:
            return self._get("projects", project_id)

        @app.put("/api/projects/{project_id}/clip-edits/{edit_id}/crop-keyframes/{frame}", response_model=Project)
        async def put_keyframe(project_id: str, edit_id: str, frame: int, body: CropChange) -> Row:
            row = self._get("projects", project_id)
            if self.stale_puts > 0:
                self.stale_puts -= 1
                row["revision"] += 1
            if body.expected_revision != row["revision"]:
                detail = f"The project has revision {row['revision']}, not {body.expected_revision}."
                raise ProblemError(409, "stale_revision", detail, current_revision=row["revision"])
            row["revision"] += 1
            keyframe = {"frame": frame} | body.model_dump(exclude={"expected_revision"})
            keyframes = row["clip_edits"][0]["crop_keyframes"]
            row["clip_edits"][0]["crop_keyframes"] = [k for k in keyframes if k["frame"] != frame] + [keyframe]
            return row

    def _add_exports(self, app: FastAPI) -> None:
        renders = self.renders

        @app.get("/api/exports", response_model=ExportList)
        async def list_exports() -> Row:
            return {"items": list(renders.jobs.values())}

        @app.post("/api/exports", status_code=202, response_model=ExportJob)
        async def start(body: NewFramingExport, idempotency_key: str = Header()) -> Row:
            project = self._get("projects", body.project_id)
            clip = self._get("clips", project["clip_edits"][0]["clip_id"])
            frames = clip["out_frame"] - clip["in_frame"]
            return self._once(idempotency_key, lambda: renders.start(body.project_id, frames))

        @app.get("/api/exports/{export_id}", response_model=ExportJob)
        async def export(export_id: str) -> Row:
            return renders.job(export_id)

        @app.post("/api/exports/{export_id}/cancel", response_model=ExportJob)
        async def cancel(export_id: str) -> Row:
            return await renders.cancel(export_id)

        @app.post("/api/exports/{export_id}/retry", status_code=202, response_model=ExportJob)
        async def retry(export_id: str) -> Row:
            return renders.retry(export_id)

        @app.websocket("/ws/export/{export_id}")
        async def follow(socket: WebSocket, export_id: str, user: str) -> None:
            assert user != "", "the socket names its user"
            await renders.follow(socket, export_id)

        @app.get("/api/reels", response_model=ReelList)
        async def list_reels() -> Row:
            return {"items": list(renders.reels.values())}

        @app.get("/api/reels/{reel_id}", response_model=Reel)
        async def reel(reel_id: str) -> Row:
            return renders.reel(reel_id)

        @app.get("/api/reels/{reel_id}/download", response_model=Download)
        async def download(reel_id: str) -> Row:
            renders.reel(reel_id)
            self.storage.objects[reel_id] = renders.reel_file
            url = self.storage.object_url(reel_id, attachment="rovers-v1.mp4")
            return {"url": url, "filename": "rovers-v1.mp4", "expires_at": _soon()}

    def _tell(self, headers: MutableHeaders) -> None:
        """Versions do not change here: conflicts of sessions are the real backend's."""
        headers["x-library-version"] = "1"
        headers["x-sync-status"] = "synced" if self.age_s is None else "stale"
        if self.age_s is not None:
            headers["age"] = str(self.age_s)

    def _new(self, kind: str, row: Row) -> Row:
        rows = self.rows[kind]
        at = datetime.now(UTC).isoformat()
        made = {"id": f"{kind}-{len(rows) + 1}", "created_at": at, "updated_at": at} | row
        rows[made["id"]] = made
        return made

    def _get(self, kind: str, row_id: str) -> Row:
        if row_id not in self.rows[kind]:
            raise ProblemError(404, "not_found", f"There is no {kind} {row_id}.")
        return self.rows[kind][row_id]

    def _once(self, key: str, make: Any) -> Row:
        if key not in self._answers:
            self._answers[key] = make()
        return self._answers[key]


def _soon() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def _probe(data: bytes) -> Row:
    """What the probe function would answer for `data`, measured."""
    try:
        with av.open(io.BytesIO(data), "r") as container:
            stream = container.streams.video[0]
            rate = stream.average_rate
            assert rate is not None
            frames = sum(packet.size > 0 for packet in container.demux(stream))
            probe = {
                "width": stream.width,
                "height": stream.height,
                "rotation": 0,
                "fps_num": rate.numerator,
                "fps_den": rate.denominator,
                "frame_count": frames,
                "duration_ms": round(1000 * frames / rate),
                "video_codec": stream.codec_context.name,
                "pixel_format": "yuv420p",
                "audio_codec": "aac" if container.streams.audio else None,
            }
            return {"status": "ready", "probe": probe}
    except av.FFmpegError:
        return {"status": "failed", "error": "This file is not a video."}

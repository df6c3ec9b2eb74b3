"""Follows the players of a range of frames."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from gpu.contract import JSON_TYPE, TrackFacts, TrackRequest, TrackResponse
from gpu.functions.function import Function
from gpu.functions.work import check_hosts, rendering, temporary_folder
from gpu.render.errors import MediaFailure
from gpu.render.output import file_sha256, upload
from gpu.render.produce import OnProgress, Reporter
from gpu.render.source import HttpSource

if TYPE_CHECKING:
    from gpu.track.detector import Detector
    from gpu.track.tracker import NewTracker

DETECTOR_SIZE: Literal["small"] = "small"
"""Of RF-DETR's sizes; its weights are in the image."""


def load_tracking() -> "tuple[Detector, NewTracker]":
    """The detector of players and their tracker; raises MediaFailure `unsupported` where a library is missing."""
    from gpu.track.bytetrack import ByteTracker
    from gpu.track.rfdetr import load_rfdetr

    for name in ("torch", "rfdetr", "trackers"):
        if find_spec(name) is None:
            raise MediaFailure("unsupported", f"players are not followed here: {name} is not part of this installation")
    return load_rfdetr(DETECTOR_SIZE), ByteTracker


def _track(request: TrackRequest, on_progress: OnProgress) -> TrackResponse:
    from gpu.track.follow import Search, follow

    check_hosts([request.source_url], [request.output_url])
    search = Search(request.frames.in_frame, request.frames.out_frame, request.stride)
    report = Reporter(on_progress, len(search.frames))
    report("reading", 0)
    detector, new_tracker = load_tracking()
    with temporary_folder() as folder, HttpSource(request.source_url) as source:
        result = follow(source, search, detector, new_tracker, rendering(report), source.abort)
        path = folder / "tracks.json"
        path.write_text(result.model_dump_json(), encoding="utf-8")
        report("uploading", report.frames_total)
        upload(path, request.output_url, JSON_TYPE)
        facts = TrackFacts(
            track_count=len(result.tracks),
            box_count=sum(len(track.boxes) for track in result.tracks),
            detector=result.detector,
            tracker=result.tracker,
            size_bytes=path.stat().st_size,
            sha256=file_sha256(path),
        )
    return TrackResponse(result=facts)


TRACK = Function(TrackRequest, TrackResponse, _track)

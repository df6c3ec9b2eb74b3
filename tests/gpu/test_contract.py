"""What both sides import: light, lenient towards what was stored before, strict towards what is no request."""

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from gpu import contract
from gpu.contract import (
    DeriveRequest,
    DeriveResponse,
    ProbeRequest,
    ProbeResponse,
    RenderProgress,
    RenderRequest,
    RenderResponse,
    RenderResult,
    StoryboardWork,
    TrackRequest,
    TrackResponse,
    UpscaleRequest,
    UpscaleResponse,
    storyboard_sheets,
)
from gpu.derive.facts import PeaksFacts
from gpu.plan.spec import Answered, ProbeInfo, Value
from gpu.track.tracks import TrackResult

HEAVY = (
    "av",
    "cv2",
    "numpy",
    "torch",
    "modal",
    "gpu.render",
    "gpu.derive.storyboard",
    "gpu.track",
    "gpu.upscale.choose",
)


def probe(frame_count: int, fps_num: int = 30, fps_den: int = 1) -> ProbeInfo:
    return ProbeInfo(
        width=1920,
        height=1080,
        rotation=0,
        fps_num=fps_num,
        fps_den=fps_den,
        frame_count=frame_count,
        duration_ms=frame_count * 1000 * fps_den // fps_num,
        video_codec="h264",
        pixel_format="yuv420p",
    )


def test_importing_it_loads_no_media_library() -> None:
    code = f"import sys, gpu.contract; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_result_stored_before_there_were_reasons_is_read() -> None:
    stored = {
        "width": 1080, "height": 1920, "fps_num": 30, "fps_den": 1, "frame_count": 3, "duration_ms": 100,
        "audio_duration_ms": None, "size_bytes": 5, "sha256": "0" * 64, "engine": "pyav-1", "plan_sha256": "1" * 64,
    }  # fmt: skip
    assert RenderResult.model_validate(stored).engine_reason == ""


@pytest.mark.parametrize(
    ("info", "sheets"),
    [
        (probe(1), 1),
        (probe(100 * 120), 1),
        (probe(100 * 120 + 1), 2),
        (probe(100 * 120, 30_000, 1001), 2),
        (probe(2 * 3600 * 30), 18),
    ],
)
def test_a_storyboard_takes_a_sheet_for_every_hundred_entries(info: ProbeInfo, sheets: int) -> None:
    assert storyboard_sheets(info) == sheets


def test_the_work_is_told_by_its_kind() -> None:
    given = {"kind": "storyboard", "sheet_urls": ["https://x/0"], "index_url": "https://x/i"}
    request = DeriveRequest.model_validate({"progress_key": "k", "source_url": "https://x/s", "work": given})
    assert isinstance(request.work, StoryboardWork)
    with pytest.raises(ValidationError):
        DeriveRequest.model_validate(
            {"progress_key": "k", "source_url": "https://x/s", "work": {**given, "kind": "proxy"}}
        )


@pytest.mark.parametrize("out_frame", [4, 3])
def test_a_range_without_frames_is_no_request(out_frame: int) -> None:
    given = {**GIVEN, "frames": {"in_frame": 4, "out_frame": out_frame}, "output_url": URL}
    with pytest.raises(ValidationError, match=f"out_frame {out_frame} is not after in_frame 4"):
        TrackRequest.model_validate(given)


def test_a_derived_result_keeps_its_kind_on_the_way() -> None:
    facts = PeaksFacts(
        sample_rate=48_000, samples_per_bucket=480, bucket_count=1, has_sound=True, size_bytes=26, sha256="0" * 64
    )
    sent = DeriveResponse(result=facts).model_dump(mode="json")
    assert DeriveResponse.model_validate(sent).result == facts


Place = tuple[str | int, ...]


def places(value: object, path: Place = ()) -> Iterator[Place]:
    """Where the objects of a JSON document are, the document itself first."""
    if isinstance(value, dict):
        yield path
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def with_unknown(document: dict[str, Any], path: Place) -> dict[str, Any]:
    """The document with one more field in the object at `path`."""
    changed = deepcopy(document)
    inner: Any = changed
    for step in path:
        inner = inner[step]
    inner["a_later_field"] = {"of": [1, 2]}
    return changed


URL = "https://x/?signed"
FRAMES = {"in_frame": 0, "out_frame": 9}
GIVEN = {"progress_key": "k", "source_url": URL}
CLIP = {
    **FRAMES,
    "crop_keyframes": [{"frame": 0, "x": 0, "y": 0, "width": 9, "height": 16}],
    "retime": {"boundaries": [0, 9], "speeds_percent": [200]},
    "trim": FRAMES,
    "caption": {"rating": 3},
}
REGION = {**FRAMES, "keyframes": [{"frame": 0, "x": 1, "y": 1, "radius_x": 2, "radius_y": 2}]}
SPEC = {
    "clips": [CLIP],
    "transition": {"kind": "fade", "frames": 4},
    "size": {"width": 64, "height": 64},
    "rate": {"num": 30},
    "regions": [REGION],
    "style": {"strength": 1},
}
ASKED: list[tuple[type[Value], dict[str, Any]]] = [
    (ProbeRequest, {"source_url": URL}),
    (RenderRequest, {"progress_key": "k", "kind": "overlay", "spec": SPEC, "source_urls": [URL], "output_url": URL}),
    (DeriveRequest, {**GIVEN, "work": {"kind": "proxy", "frames": FRAMES, "output_url": URL}}),
    (DeriveRequest, {**GIVEN, "work": {"kind": "storyboard", "sheet_urls": [URL], "index_url": URL}}),
    (DeriveRequest, {**GIVEN, "work": {"kind": "peaks", "output_url": URL}}),
    (TrackRequest, {**GIVEN, "frames": FRAMES, "output_url": URL}),
    (UpscaleRequest, {**GIVEN, "frames": FRAMES, "size": {"width": 64, "height": 64}, "output_url": URL}),
]
MEASURED: dict[str, Any] = {
    "width": 64, "height": 36, "fps_num": 30, "fps_den": 1, "frame_count": 3, "duration_ms": 100,
    "audio_duration_ms": None, "size_bytes": 5, "sha256": "0" * 64,
}  # fmt: skip
PROXY = {name: value for name, value in MEASURED.items() if name != "audio_duration_ms"}
CELL = {"sheet": 0, "column": 0, "row": 0, "frame": 0, "ms": 0}
SIDES = {"columns": 10, "rows": 10, "cell_width": 160, "cell_height": 90, "interval_ms": 4000}
HASHED = {"size_bytes": 5, "sha256": "0" * 64}
BOX = {"frame": 0, "x": 1, "y": 1, "width": 2, "height": 4, "score": 0.5}
TRACK = {"id": 1, "label": "player", "segments": [{"state": "tracked", **FRAMES}], "boxes": [BOX]}
RATE = {"fps_num": 30, "fps_den": 1, "width": 64, "height": 36}
TRACKS = {**RATE, **FRAMES, "stride": 1, "detector": "d", "tracker": "t", "tracks": [TRACK]}
UPSCALER = {"name": "lanczos-1", "ai": False, "reason": "no GPU"}
TOLD: list[tuple[type[Value], dict[str, Any]]] = [
    (ProbeResponse, {"info": probe(3).model_dump(mode="json")}),
    (RenderResponse, {"error": {"code": "internal", "message": "broken"}}),
    (RenderResponse, {"result": {**MEASURED, "engine": "pyav", "plan_sha256": "1" * 64}}),
    (DeriveResponse, {"result": {**PROXY, "first_frame": 0, "frame_step": 1, "has_sound": True}}),
    (DeriveResponse, {"result": {"sheets": ["0.jpg"], **SIDES, "entries": [CELL]}}),
    (
        DeriveResponse,
        {"result": {"sample_rate": 8000, "samples_per_bucket": 80, "bucket_count": 1, "has_sound": True, **HASHED}},
    ),
    (TrackResponse, {"result": {"track_count": 1, "box_count": 1, "detector": "d", "tracker": "t", **HASHED}}),
    (UpscaleResponse, {"result": {**MEASURED, "upscaler": UPSCALER}}),
    (RenderProgress, {"phase": "rendering", "frames_done": 1, "frames_total": 2}),
    (TrackResult, TRACKS),
]


@pytest.mark.parametrize(("kind", "document"), TOLD)
def test_an_answer_may_have_fields_that_are_not_known_yet(kind: type[Value], document: dict[str, Any]) -> None:
    known = kind.model_validate(document)
    for path in places(document):
        assert kind.model_validate(with_unknown(document, path)) == known, path


@pytest.mark.parametrize(("kind", "document"), ASKED)
def test_a_request_with_an_unknown_field_is_refused(kind: type[Value], document: dict[str, Any]) -> None:
    kind.model_validate(document)
    for path in places(document):
        with pytest.raises(ValidationError, match="a_later_field"):
            kind.model_validate(with_unknown(document, path))


def test_every_value_of_the_contract_is_asked_or_told_and_nothing_is_both() -> None:
    asked, told = ({kind for kind, _ in pairs} for pairs in (ASKED, TOLD))
    named = {one for name, one in vars(contract).items() if name.endswith(("Request", "Response", "Progress"))}
    assert asked | told == named | {TrackResult}
    assert not any(issubclass(inner, Answered) for kind in asked for inner in values_of(kind))
    assert all(issubclass(inner, Answered) for kind in told for inner in values_of(kind))


def values_of(kind: type[Value]) -> set[type[Value]]:
    """The kind itself and those of everything that it may hold."""
    found, waiting = set[type[Value]](), [kind]
    while waiting:
        one = waiting.pop()
        found.add(one)
        inner = {part for field in one.model_fields.values() for part in parts_of(field.annotation)}
        waiting.extend(inner - found)
    return found


def parts_of(annotation: Any) -> Iterator[type[Value]]:
    if isinstance(annotation, type) and issubclass(annotation, Value):
        yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)

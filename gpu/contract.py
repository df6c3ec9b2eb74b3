"""What the backend asks of the media functions and what they answer. The one module that both sides import.

Every call is idempotent: the same request writes the same object at `output_url`. Media comes and goes by presigned
URL only; no credential is part of a request.
"""

from typing import Annotated, Literal

from pydantic import Field

from gpu.plan.spec import EditSpec, ProbeInfo, Value

APP_NAME = "reel-ballers"
PROBE_FUNCTION = "probe"
RENDER_FUNCTION = "render"
PROGRESS_DICT = "reel-ballers-progress"

RenderKind = Literal["extract", "framing"]
Phase = Literal["queued", "reading", "rendering", "uploading"]
ErrorCode = Literal["not_a_video", "unsupported_media", "bad_spec", "source_unreachable", "output_refused", "internal"]


class ProbeRequest(Value):
    """`source_url`: presigned GET of the media."""

    source_url: str


class RenderRequest(Value):
    """`progress_key` is where progress is published; it is unique to one attempt of one export."""

    progress_key: str
    kind: RenderKind
    spec: EditSpec
    source_url: Annotated[str, Field(description="presigned GET")]
    output_url: Annotated[str, Field(description="presigned PUT for content type video/mp4")]


class RenderProgress(Value):
    """Frames written so far; both counts never decrease within one progress key."""

    phase: Phase
    frames_done: Annotated[int, Field(ge=0)]
    frames_total: Annotated[int, Field(ge=0)]


class RenderResult(Value):
    """Measured from the written file, never copied from the plan."""

    width: int
    height: int
    fps_num: int
    fps_den: int
    frame_count: int
    duration_ms: int
    audio_duration_ms: int | None
    size_bytes: int
    sha256: str
    engine: str
    plan_sha256: str


class MediaError(Value):
    """A failure that the user can understand: a stable code and a sentence without URLs or secrets."""

    code: ErrorCode
    message: str


class ProbeResponse(Value):
    """Exactly one of the two is set."""

    info: ProbeInfo | None = None
    error: MediaError | None = None


class RenderResponse(Value):
    """Exactly one of the two is set."""

    result: RenderResult | None = None
    error: MediaError | None = None

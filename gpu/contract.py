"""What the backend asks of the media functions and what they answer. The one module that both sides import.

Every call is idempotent: the same request writes the same objects at its output URLs. Media comes and goes by presigned
URL only; no credential is part of a request.

The functions are deployed before the backend. What they answer may have fields that an older backend does not know and
leaves out (`Answered`); a request with a field that a function does not know is refused (`Value`).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gpu.derive.facts import SHEET_COLUMNS, SHEET_ROWS, STORYBOARD_INTERVAL_MS, PeaksFacts, ProxyFacts, Storyboard
from gpu.plan.spec import Answered, EditSpec, OutputSize, ProbeInfo, Value
from gpu.upscale.used import UpscalerUsed

APP_NAME = "reel-ballers"
PROBE_FUNCTION = "probe"
RENDER_FUNCTION = "render"
DERIVE_FUNCTION = "derive"
TRACK_FUNCTION = "track"
UPSCALE_FUNCTION = "upscale"
PROGRESS_DICT = "reel-ballers-progress"

VIDEO_TYPE = "video/mp4"
SHEET_TYPE = "image/jpeg"
JSON_TYPE = "application/json"
PEAKS_TYPE = "application/octet-stream"

RenderKind = Literal["extract", "framing", "overlay", "annotate", "concat"]
Phase = Literal["queued", "reading", "rendering", "uploading"]
ErrorCode = Literal[
    "not_a_video", "unsupported_media", "bad_spec", "source_unreachable", "output_refused", "unsupported", "internal"
]
"""`unsupported`: this installation cannot do such work at all, whatever the video is."""

ProgressKey = Annotated[str, Field(description="where progress is published; unique to one attempt of one job")]
SourceUrl = Annotated[str, Field(description="presigned GET of the media")]
VideoOutput = Annotated[str, Field(description=f"presigned PUT for content type {VIDEO_TYPE}")]


class ProbeRequest(Value):
    """`source_url`: presigned GET of the media."""

    source_url: str


class RenderRequest(Value):
    """Make one video of an edit."""

    progress_key: ProgressKey
    kind: RenderKind
    spec: EditSpec
    source_urls: Annotated[tuple[str, ...], Field(min_length=1, description="presigned GET, by the clips' `source`")]
    output_url: VideoOutput


class FrameRange(Value):
    """Frames [in_frame, out_frame) of the source's grid."""

    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]

    @model_validator(mode="after")
    def _check(self) -> "FrameRange":
        if self.out_frame <= self.in_frame:
            raise ValueError(f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        return self


class ProxyWork(Value):
    """The edit proxy of `frames`, of the whole source without them."""

    kind: Literal["proxy"] = "proxy"
    frames: FrameRange | None = None
    output_url: VideoOutput


class StoryboardWork(Value):
    """Sheets of thumbnails and the index of what is on them; `storyboard_sheets` tells how many URLs that takes."""

    kind: Literal["storyboard"] = "storyboard"
    sheet_urls: Annotated[
        tuple[str, ...], Field(min_length=1, description=f"presigned PUT for {SHEET_TYPE}; those left over stay unused")
    ]
    index_url: Annotated[str, Field(description=f"presigned PUT for {JSON_TYPE}; written last")]


class PeaksWork(Value):
    """The waveform of the whole sound."""

    kind: Literal["peaks"] = "peaks"
    output_url: Annotated[str, Field(description=f"presigned PUT for {PEAKS_TYPE}")]


class DeriveRequest(Value):
    """What the editor needs beside a source."""

    progress_key: ProgressKey
    source_url: SourceUrl
    work: Annotated[ProxyWork | StoryboardWork | PeaksWork, Field(discriminator="kind")]


class TrackRequest(Value):
    """Follow the players in `frames`, of which every `stride`-th is looked at."""

    progress_key: ProgressKey
    source_url: SourceUrl
    frames: FrameRange
    stride: Annotated[int, Field(ge=1, le=60)] = 1
    output_url: Annotated[str, Field(description=f"presigned PUT for {JSON_TYPE}: a gpu.track.tracks.TrackResult")]


class UpscaleRequest(Value):
    """Make the pictures of `frames`, of all without them, as large as `size`; neither side may become smaller."""

    progress_key: ProgressKey
    source_url: SourceUrl
    frames: FrameRange | None = None
    size: OutputSize
    output_url: VideoOutput


class RenderProgress(Answered):
    """Frames done so far; counts never decrease within one progress key. `frames_total` is 0 until it is known."""

    phase: Phase
    frames_done: Annotated[int, Field(ge=0)]
    frames_total: Annotated[int, Field(ge=0)]


class MeasuredVideo(Answered):
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


class RenderResult(MeasuredVideo):
    """`engine_reason` says why this engine made it."""

    engine: str
    plan_sha256: str
    engine_reason: str = ""


class TrackFacts(Answered):
    """What the written object holds; `detector` and `tracker` name what found it."""

    track_count: int
    box_count: int
    detector: str
    tracker: str
    size_bytes: int
    sha256: str


class UpscaleResult(MeasuredVideo):
    """`upscaler` says whether a network made its pictures, and why."""

    upscaler: UpscalerUsed


class MediaError(Answered):
    """A failure that the user can understand: a stable code and a sentence without URLs or secrets."""

    code: ErrorCode
    message: str


class ProbeResponse(Answered):
    """Exactly one of the two is set."""

    info: ProbeInfo | None = None
    error: MediaError | None = None


class RenderResponse(Answered):
    """Exactly one of the two is set."""

    result: RenderResult | None = None
    error: MediaError | None = None


class DeriveResponse(Answered):
    """Exactly one of the two is set; the result is of the kind that was asked for."""

    result: ProxyFacts | Storyboard | PeaksFacts | None = None
    error: MediaError | None = None


class TrackResponse(Answered):
    """Exactly one of the two is set."""

    result: TrackFacts | None = None
    error: MediaError | None = None


class UpscaleResponse(Answered):
    """Exactly one of the two is set."""

    result: UpscaleResult | None = None
    error: MediaError | None = None


def storyboard_sheets(info: ProbeInfo) -> int:
    """How many sheets the storyboard of such a source has."""
    milliseconds = info.frame_count * info.fps_den * 1000
    entries = -(-milliseconds // (info.fps_num * STORYBOARD_INTERVAL_MS))
    return -(-entries // (SHEET_COLUMNS * SHEET_ROWS))

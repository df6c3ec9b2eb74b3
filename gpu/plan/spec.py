"""EditSpec and ProbeInfo: what the user wants, and what the file is. Both are data; nothing here reads a file.

Frames of a clip are counted on its source's own grid, frames of the result on the output's. Ranges are half-open
[in, out). Coordinates are pixels after display rotation, the origin at the top left: of the source for crops, of the
output for highlights.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Easing = Literal["linear", "smooth", "hold"]
TransitionKind = Literal["cut", "fade", "dissolve"]
Effect = Literal["spotlight", "brighten"]

SLOWEST_PERCENT, FASTEST_PERCENT = 25, 400
LONGEST_NOTES = 280
MOST_CLIPS = 100
MOST_KEYFRAMES = 5000
"""Of one clip's crop, and of one highlight region."""
MOST_REGIONS = 500
MOST_SPEEDS = 1000
MOST_TAGS = 5000


class Value(BaseModel):
    """Immutable data that somebody asks with. It refuses unknown keys: what is not understood must not be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answered(Value):
    """Immutable data that somebody is told. Unknown keys are ignored: who answers may be newer than who asked."""

    model_config = ConfigDict(extra="ignore")


class CropKeyframe(Value):
    """The crop rectangle at one frame; `easing` shapes the way to the next keyframe."""

    frame: Annotated[int, Field(ge=0, description="frames from the clip's in point")]
    x: float
    y: float
    width: Annotated[float, Field(gt=0)]
    height: Annotated[float, Field(gt=0)]
    easing: Easing = "smooth"


class OutputSize(Value):
    """Size of the rendered picture in pixels; both are even, as yuv420p needs."""

    width: Annotated[int, Field(ge=16, le=7680, multiple_of=2)]
    height: Annotated[int, Field(ge=16, le=7680, multiple_of=2)]


class FrameRate(Value):
    """`num / den` frames a second of the output; both are of a size that a file's clock can count in."""

    num: Annotated[int, Field(gt=0, le=1_000_000)]
    den: Annotated[int, Field(gt=0, le=1_000_000)] = 1


class Retime(Value):
    """A speed for each interval between two boundaries, which go from 0 to the clip's length in frames.

    200 percent plays twice as fast. Percent are integers, so that every language computes the same lengths.
    """

    boundaries: Annotated[tuple[int, ...], Field(min_length=2, max_length=MOST_SPEEDS + 1)]
    speeds_percent: Annotated[
        tuple[Annotated[int, Field(ge=SLOWEST_PERCENT, le=FASTEST_PERCENT)], ...],
        Field(min_length=1, max_length=MOST_SPEEDS),
    ]

    @model_validator(mode="after")
    def _check(self) -> "Retime":
        if self.boundaries[0] != 0 or list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries do not strictly increase from 0: {list(self.boundaries)}")
        if len(self.speeds_percent) != len(self.boundaries) - 1:
            raise ValueError(f"{len(self.boundaries)} boundaries need one speed less, not {len(self.speeds_percent)}")
        return self


class Trim(Value):
    """The part of a clip that is shown, in frames from its in point; keyframes and speeds keep their places."""

    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]

    @model_validator(mode="after")
    def _check(self) -> "Trim":
        if self.out_frame <= self.in_frame:
            raise ValueError(f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        return self


class Caption(Value):
    """Text burnt into a clip's pictures: stars, tags and notes, each left out when empty."""

    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    tags: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=MOST_TAGS)] = ()
    notes: Annotated[str, Field(max_length=LONGEST_NOTES)] = ""


class ClipEdit(Value):
    """One clip of one source: its range, its crop track, its speeds and its trim. Keyframes strictly increase.

    `crop_smoothing` 0 passes through every keyframe; towards 1 the track becomes the straight line that fits them best.
    """

    source: Annotated[int, Field(ge=0, description="index of the source media")] = 0
    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]
    crop_keyframes: Annotated[tuple[CropKeyframe, ...], Field(max_length=MOST_KEYFRAMES)] = ()
    crop_smoothing: Annotated[float, Field(ge=0, le=1)] = 0.0
    retime: Retime | None = None
    trim: Trim | None = None
    audio: bool = True
    caption: Caption | None = None

    @model_validator(mode="after")
    def _check(self) -> "ClipEdit":
        if self.out_frame <= self.in_frame:
            raise ValueError(f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        frames = [keyframe.frame for keyframe in self.crop_keyframes]
        if frames != sorted(set(frames)):
            raise ValueError(f"crop keyframes do not strictly increase: {frames}")
        return self

    @property
    def frame_count(self) -> int:
        """Frames of the clip before trim and speeds."""
        return self.out_frame - self.in_frame


class Transition(Value):
    """How every clip but the first begins.

    A dissolve lays `frames` frames of two clips over each other, so the result is that much shorter. A fade goes to
    black with the last half of `frames` of one clip and comes back with the first half of the next.
    """

    kind: TransitionKind = "cut"
    frames: Annotated[int, Field(ge=0, le=240, description="frames of the output; 0 for a cut")] = 0

    @model_validator(mode="after")
    def _check(self) -> "Transition":
        if (self.kind == "cut") != (self.frames == 0):
            raise ValueError(f"a {self.kind} of {self.frames} frames: a cut takes 0, the others at least 1")
        return self


class EllipseKeyframe(Value):
    """The highlight's ellipse at one frame; `easing` shapes the way to the next keyframe, colours change at once."""

    frame: Annotated[int, Field(ge=0, description="frames of the output")]
    x: float
    y: float
    radius_x: Annotated[float, Field(gt=0)]
    radius_y: Annotated[float, Field(gt=0)]
    color: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#ffd400"
    stroke_opacity: Annotated[float, Field(ge=0, le=1)] = 1.0
    fill_opacity: Annotated[float, Field(ge=0, le=1)] = 0.0
    easing: Easing = "smooth"


class HighlightRegion(Value):
    """A range of output frames in which one player is highlighted. Outside of it nothing is drawn.

    The highlight grows to its full strength over the first `fade_frames` frames and goes as slowly.
    """

    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]
    enabled: bool = True
    fade_frames: Annotated[int, Field(ge=0)] = 0
    keyframes: Annotated[tuple[EllipseKeyframe, ...], Field(min_length=1, max_length=MOST_KEYFRAMES)]

    @model_validator(mode="after")
    def _check(self) -> "HighlightRegion":
        if self.out_frame <= self.in_frame:
            raise ValueError(f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        frames = [keyframe.frame for keyframe in self.keyframes]
        if frames != sorted(set(frames)):
            raise ValueError(f"ellipse keyframes do not strictly increase: {frames}")
        return self


class HighlightStyle(Value):
    """`spotlight` darkens what is outside the ellipse, `brighten` lifts what is inside, both by `strength`.

    `ring_width` is in parts of the smaller radius. `softness` is the part of the radius, in each direction, over which
    the effect comes and goes.
    """

    effect: Effect = "spotlight"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.5
    softness: Annotated[float, Field(ge=0, le=1)] = 0.25
    ring_width: Annotated[float, Field(ge=0, le=0.5)] = 0.06


class EditSpec(Value):
    """Clips one after the other, how they join, and what is drawn over them.

    `size` None keeps the size of the first clip's source (made even), `rate` None its frame rate.
    """

    clips: Annotated[tuple[ClipEdit, ...], Field(min_length=1, max_length=MOST_CLIPS)]
    transition: Transition = Transition()
    size: OutputSize | None = None
    rate: FrameRate | None = None
    regions: Annotated[tuple[HighlightRegion, ...], Field(max_length=MOST_REGIONS)] = ()
    style: HighlightStyle = HighlightStyle()

    @classmethod
    def of_clip(
        cls,
        in_frame: int,
        out_frame: int,
        *,
        crop_keyframes: tuple[CropKeyframe, ...] = (),
        size: OutputSize | None = None,
        audio: bool = True,
    ) -> "EditSpec":
        """One clip of one source. Raises ValidationError."""
        clip = ClipEdit(in_frame=in_frame, out_frame=out_frame, crop_keyframes=crop_keyframes, audio=audio)
        return cls(clips=(clip,), size=size)

    @model_validator(mode="before")
    @classmethod
    def _lift(cls, given: object) -> object:
        """A spec from before there were several clips has the fields of its only one beside `size`."""
        if not isinstance(given, dict) or "clips" in given or "in_frame" not in given:
            return given
        outer = {name: value for name, value in given.items() if name in cls.model_fields}
        return {**outer, "clips": [{name: value for name, value in given.items() if name not in outer}]}


class ProbeInfo(Answered):
    """Facts of a media file. `fps_num / fps_den` is the frame rate of its grid; width and height are after rotation.

    No request holds them: a function probes its source itself. So they are only ever told.
    """

    width: int
    height: int
    rotation: Literal[0, 90, 180, 270]
    fps_num: int
    fps_den: int
    frame_count: int
    duration_ms: int
    video_codec: str
    pixel_format: str
    variable_frame_rate: bool = False
    audio_codec: str | None = None
    audio_sample_rate: int | None = None
    audio_channels: int | None = None
    gop_ms: Annotated[int | None, Field(description="longest time between keyframes seen; None if there is one")] = None
    index_first: Annotated[bool, Field(description="whether playing can begin before the whole file is read")] = True
    interlaced: bool = False
    transfer: Annotated[Literal["sdr", "pq", "hlg"], Field(description="the light curve of its pictures")] = "sdr"

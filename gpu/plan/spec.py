"""EditSpec and ProbeInfo: what the user wants, and what the file is. Both are data; nothing here reads a file.

Frames are counted on the source's own frame grid. Ranges are half-open [in, out). Coordinates are source pixels
after display rotation, the origin at the top left.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Easing = Literal["linear", "smooth", "hold"]


class Value(BaseModel):
    """Immutable data that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class EditSpec(Value):
    """One clip of one source: its range, its crop track and the size of what comes out.

    `size` None keeps the size of the source (made even), which is what an extraction does.
    """

    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(gt=0)]
    crop_keyframes: tuple[CropKeyframe, ...] = ()
    size: OutputSize | None = None
    audio: bool = True

    @model_validator(mode="after")
    def _check(self) -> "EditSpec":
        if self.out_frame <= self.in_frame:
            raise ValueError(f"out_frame {self.out_frame} is not after in_frame {self.in_frame}")
        frames = [keyframe.frame for keyframe in self.crop_keyframes]
        if frames != sorted(set(frames)):
            raise ValueError(f"crop keyframes do not strictly increase: {frames}")
        return self


class ProbeInfo(Value):
    """Facts of a media file. `fps_num / fps_den` is the frame rate of its grid; width and height are after rotation."""

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

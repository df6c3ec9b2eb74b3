"""Why a clip cannot be cut by copying: data that goes to the caller, who then renders it whole."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable codes; `sentence` is for people."""

    CONTAINER = "container"
    INDEX = "index"
    CODEC = "codec"
    PROFILE = "profile"
    PIXELS = "pixels"
    COLOUR = "colour"
    INTERLACED = "interlaced"
    TURNED = "turned"
    PIXEL_SHAPE = "pixel_shape"
    VARIABLE_RATE = "variable_rate"
    PARAMETER_SETS = "parameter_sets"
    NO_KEYFRAME = "no_keyframe"
    OPEN_GOP = "open_gop"
    TIMESTAMPS = "timestamps"
    DAMAGED = "damaged"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.CONTAINER: "only MP4 and MOV store pictures as the result does",
    Reason.INDEX: "the file has no index of all its pictures",
    Reason.CODEC: "the video is not H.264",
    Reason.PROFILE: "the H.264 profile is none of Baseline, Main and High",
    Reason.PIXELS: "the pictures are not 8-bit 4:2:0",
    Reason.COLOUR: "the colours are not bt709 in TV range",
    Reason.INTERLACED: "the pictures are or may be interlaced",
    Reason.TURNED: "the pictures are stored turned or mirrored",
    Reason.PIXEL_SHAPE: "the pixels are not square",
    Reason.VARIABLE_RATE: "the frame rate varies",
    Reason.PARAMETER_SETS: "the parameter sets are unusual or change on the way",
    Reason.NO_KEYFRAME: "no keyframe lies inside the clip",
    Reason.OPEN_GOP: "the clip's keyframes lean on pictures before them",
    Reason.TIMESTAMPS: "the pictures are not evenly spaced",
    Reason.DAMAGED: "a picture's data is damaged",
}


class NotCopyable(Exception):
    """The clip needs the exact path; nothing was written. `reason` is data, not a fault of the caller."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.sentence)
        self.reason = reason

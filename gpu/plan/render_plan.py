"""RenderPlan: what an engine draws, frame by frame. It holds numbers and texts only, so every engine draws the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from gpu.plan.ellipse import Ellipse
from gpu.plan.geometry import Rect, Size
from gpu.plan.spec import Caption, HighlightStyle

PLAN_VERSION = 2
"""Rises when the same plan would have to be drawn another way."""
_DIGITS = 6


class SourceGrid(NamedTuple):
    """A source's size after display rotation and the rate of the grid on which its frames count."""

    size: Size
    fps_num: int
    fps_den: int

    @property
    def rate(self) -> Fraction:
        return Fraction(self.fps_num, self.fps_den)


@dataclass(frozen=True)
class SoundRange:
    """Samples at 48 kHz stereo from `start_sample` on, counted from the start of the source's frame 0."""

    start_sample: int
    sample_count: int


@dataclass(frozen=True)
class SoundPiece:
    """A range of the source's sound, stretched or pressed to `count` samples at its pitch; copied if it has as many.

    A range may end after the source does: silence follows. Rounding to frames makes one of few frames up to twice as
    fast as the edit's speed.
    """

    source: SoundRange
    count: int


@dataclass(frozen=True)
class ClipSound:
    """Sound of one clip from the output's sample `first_sample` on; the fades are linear and in samples."""

    first_sample: int
    pieces: tuple[SoundPiece, ...]
    fade_in: int
    fade_out: int

    @property
    def count(self) -> int:
        return sum(piece.count for piece in self.pieces)


@dataclass(frozen=True)
class ClipPlan:
    """One clip on the output frames from `first` on, one entry of each sequence for each of them.

    The crop of the source's frame is laid over what is there already, the clip before or black, with its opacity.
    """

    source: int
    first: int
    source_frames: Sequence[int]
    crops: Sequence[Rect]
    opacities: Sequence[float]
    caption: Caption | None
    sound: ClipSound | None

    @property
    def count(self) -> int:
        return len(self.source_frames)

    @property
    def end(self) -> int:
        return self.first + self.count


@dataclass(frozen=True)
class RenderPlan:
    """Clips in order, at most two on one frame; `ellipses[i]` is the highlight on output frame i, or None.

    A source with a variable frame rate gets a grid whose frame n is the last picture shown at or before n, to the
    nearest. `sample_count` None renders without sound; samples are 48 kHz.
    """

    sources: tuple[SourceGrid, ...]
    size: Size
    fps_num: int
    fps_den: int
    clips: tuple[ClipPlan, ...]
    ellipses: Sequence[Ellipse | None]
    style: HighlightStyle
    sample_count: int | None

    @property
    def frame_count(self) -> int:
        return self.clips[-1].end

    @property
    def rate(self) -> Fraction:
        return Fraction(self.fps_num, self.fps_den)

    def sha256(self) -> str:
        """Hash of the canonical JSON; equal plans have equal hashes on every machine."""
        style = self.style.model_dump(mode="json")
        facts = {
            "version": PLAN_VERSION,
            "sources": self.sources,
            "size": self.size,
            "fps": [self.fps_num, self.fps_den],
            "clips": [_clip_facts(clip) for clip in self.clips],
            "ellipses": [_rounded(ellipse) if ellipse else None for ellipse in self.ellipses],
            "style": dict(zip(style, _rounded(list(style.values())), strict=True)),
            "samples": self.sample_count,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _clip_facts(clip: ClipPlan) -> dict[str, Any]:
    sound = clip.sound
    pieces = [[one.source.start_sample, one.source.sample_count, one.count] for one in sound.pieces] if sound else []
    return {
        "source": clip.source,
        "first": clip.first,
        "frames": list(clip.source_frames),
        "crops": [_rounded(crop) for crop in clip.crops],
        "opacities": _rounded(clip.opacities),
        "caption": clip.caption.model_dump(mode="json") if clip.caption else None,
        "sound": [sound.first_sample, sound.fade_in, sound.fade_out, pieces] if sound else None,
    }


def _rounded(values: Sequence[float | str]) -> list[float | str]:
    # Adding 0 makes -0.0 equal to 0.0 as text too.
    return [round(value, _DIGITS) + 0.0 if isinstance(value, float) else value for value in values]

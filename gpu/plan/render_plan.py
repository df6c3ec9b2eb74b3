"""RenderPlan: what an engine draws, frame by frame. It holds numbers only, so every engine draws the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from gpu.plan.geometry import Rect, Size

PLAN_VERSION = 1
"""Rises when the same plan would have to be drawn another way."""
_DIGITS = 6


@dataclass(frozen=True)
class SoundRange:
    """Half-open range of samples at 48 kHz stereo, counted from the start of the source's frame 0."""

    start_sample: int
    sample_count: int


@dataclass(frozen=True)
class RenderPlan:
    """`source_frames[i]` and `crops[i]` make output frame i; `sound` None renders without sound.

    Source frames count on the source's grid of `fps_num / fps_den`, which is also the rate of the output. A source with
    a variable frame rate gets a grid whose frame n is the last picture shown at or before n, to the nearest.
    """

    source: Size
    size: Size
    fps_num: int
    fps_den: int
    source_frames: Sequence[int]
    crops: Sequence[Rect]
    sound: SoundRange | None

    @property
    def frame_count(self) -> int:
        return len(self.source_frames)

    def sha256(self) -> str:
        """Hash of the canonical JSON; equal plans have equal hashes on every machine."""
        sound = self.sound and [self.sound.start_sample, self.sound.sample_count]
        facts = {
            "version": PLAN_VERSION,
            "source": self.source,
            "size": self.size,
            "fps": [self.fps_num, self.fps_den],
            "source_frames": list(self.source_frames),
            "crops": [[round(value, _DIGITS) for value in crop] for crop in self.crops],
            "sound": sound,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

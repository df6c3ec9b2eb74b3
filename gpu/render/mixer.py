"""The result's sound: every clip's, stretched to its pictures, faded and laid over each other, sample by sample.

A block at a time, whatever the plan's length. One sample depends on the plan and the sources only, not on the blocks.
"""

from collections.abc import Generator
from contextlib import ExitStack, closing

import numpy as np
import numpy.typing as npt

from gpu.plan.render_plan import ClipPlan, ClipSound, RenderPlan
from gpu.render.hearing import heard
from gpu.render.reader import Samples
from gpu.render.shelf import Shelf
from gpu.render.stretch import reach, stretched

_BLOCK = 4_800


def mixed(plan: RenderPlan, shelf: Shelf) -> Generator[Samples]:
    """Contiguous stereo samples at 48 kHz of shape (2, n), `plan.sample_count` in all. Raises MediaFailure.

    A source is open while its clips are heard.
    """
    total = plan.sample_count or 0
    waiting = [(clip, clip.sound) for clip in plan.clips if clip.sound is not None and clip.sound.pieces]
    playing: list[_Voice] = []
    with ExitStack() as opened:
        for start in range(0, total, _BLOCK):
            block = np.zeros((2, min(_BLOCK, total - start)), np.float32)
            for voice in playing:
                voice.add_to(block, start)
            while waiting and waiting[0][1].first_sample < start + block.shape[1]:
                clip, sound = waiting.pop(0)
                playing.append(_Voice(sound, opened.enter_context(closing(_clip_samples(clip, sound, shelf)))))
                playing[-1].add_to(block, start)
            playing = [voice for voice in playing if not voice.done]
            yield block


def gains(sound: ClipSound, first: int, count: int) -> npt.NDArray[np.float32]:
    """Of the clip's samples [first, first + count): from 0 to 1 and back in equal steps, each at a sample's middle.

    Where one clip's fall lies over the next one's rise, both add up to 1.
    """
    at = np.arange(first, first + count) + 0.5
    rise = at / sound.fade_in if sound.fade_in else np.ones(count)
    fall = (sound.count - at) / sound.fade_out if sound.fade_out else np.ones(count)
    return np.minimum(1, np.minimum(rise, fall)).astype(np.float32)


def _clip_samples(clip: ClipPlan, sound: ClipSound, shelf: Shelf) -> Generator[Samples]:
    with shelf.lend(clip.source) as media, closing(heard(media, reach(sound.pieces))) as samples:
        yield from stretched(sound.pieces, samples)


class _Voice:
    """One clip's sound while it is heard."""

    def __init__(self, sound: ClipSound, samples: Generator[Samples]) -> None:
        self._sound, self._samples = sound, samples
        self._given = 0
        self._rest: Samples = np.zeros((2, 0), np.float32)

    @property
    def done(self) -> bool:
        return self._given == self._sound.count

    def add_to(self, block: Samples, start: int) -> None:
        """Adds what falls on the block, which begins at output sample `start`; blocks come in order.

        With its last sample the clip gives its source back.
        """
        offset = self._sound.first_sample + self._given - start
        count = min(block.shape[1] - offset, self._sound.count - self._given)
        taken = self._take(count) * gains(self._sound, self._given, count)
        block[:, offset : offset + count] += taken
        self._given += count
        if self.done:
            next(self._samples, None)

    def _take(self, count: int) -> Samples:
        parts = [self._rest]
        have = self._rest.shape[1]
        while have < count:
            parts.append(next(self._samples))
            have += parts[-1].shape[1]
        joined = np.concatenate(parts, axis=1)
        self._rest = joined[:, count:]
        return joined[:, :count]

"""Finds the place to go on from that sounds most like what was about to come, and cross-fades to it."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gpu.render.reader import Samples
from gpu.render.stretch.tape import Tape

FADE = 432
"""Samples (9 ms) of a cross-fade, and the step in which the output is made."""
SHORTEST_FADE = 96
"""Where onsets are close to each other."""
SILENT = 1e-6
"""Mean square below which there is nothing to compare."""
_TEMPLATE = 600
_LOUDNESS_WEIGHT = 1.0
"""Of the share of loudness that a splice keeps, against similarity (-1 to 1): clicks must not fall between splices."""


class Block(NamedTuple):
    """Samples of the output, and the place in the source from which they go on."""

    samples: Samples
    place: int


def best_splice(tape: Tape, place: int, fade: int, places: range, keeps_loudness: bool) -> int:
    """Which of these places to go on from, over a cross-fade that begins now, instead of from `place`."""
    before = (_TEMPLATE - fade) // 2
    template = tape.read(place - before, _TEMPLATE)
    score = _similarity(template, tape.read(places.start - before, _TEMPLATE + len(places) - 1))
    if keeps_loudness:
        score = score + _LOUDNESS_WEIGHT * _kept_loudness(tape.read(places.start, len(places) - 1 + 2 * FADE))
    return places.start + int(score.argmax())


def spliced(tape: Tape, place: int, chosen: int, fade: int, count: int) -> Block:
    """`count` samples from `chosen` on, to which the first `fade` lead over from those at `place`."""
    rise = _rise(fade)
    samples = tape.read(chosen, count).copy()
    samples[:, :fade] = tape.read(place, fade) * (1 - rise) + samples[:, :fade] * rise
    return Block(samples, chosen + count)


@cache
def _rise(count: int) -> npt.NDArray[np.float32]:
    return (np.sin((np.arange(count) + 0.5) / count * np.pi / 2) ** 2).astype(np.float32)


def _similarity(template: Samples, region: Samples) -> npt.NDArray[np.float64]:
    """Normalised correlation of the template with every place of the region at which it fits."""
    length = template.shape[1]
    size = _fast_length(region.shape[1])
    spectra = np.fft.rfft(region, size) * np.fft.rfft(template, size).conj()
    products = np.fft.irfft(spectra.sum(axis=0), size)[: region.shape[1] - length + 1]
    powers = _power_of_windows(region, length) + SILENT * length
    return np.asarray(products / np.sqrt(powers * (_power(template).sum() + SILENT * length)), np.float64)


@cache
def _fast_length(least: int) -> int:
    """The next number of which a Fourier transform is fast: a power of two, or 5 / 8 or 3 / 4 of one."""
    power = 1 << (least - 1).bit_length()
    return min(length for length in (power * 5 // 8, power * 3 // 4, power) if length >= least)


def _kept_loudness(region: Samples) -> npt.NDArray[np.float64]:
    """For every place in the region, two cross-fades before its end: the share of power that is well heard from it."""
    windows = _power_of_windows(region[:, FADE // 2 : -FADE // 2], FADE)
    return np.asarray(windows / (_power(region).sum() + SILENT), np.float64)


def _power_of_windows(samples: Samples, length: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(_power(samples))))
    return np.asarray(sums[length:] - sums[:-length], np.float64)


def _power(samples: Samples) -> npt.NDArray[np.float64]:
    return np.asarray(np.square(samples, dtype=np.float64).sum(axis=0), np.float64)

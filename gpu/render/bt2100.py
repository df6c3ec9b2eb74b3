"""HDR (PQ, HLG) -> bt709 in numbers: what a display of 1000 cd/m2 would show, on one that is white at 203 cd/m2.

203 cd/m2 is HDR reference white (ITU-R BT.2408: 58 % PQ, 75 % HLG). Up to 88 cd/m2 the light is kept as it is, above it
the EETF of BT.2390 rolls off, so that reference white lands at 90 % and 1000 cd/m2 at white. The brightest component
decides and all three are scaled alike, so hues are kept. Colours outside of bt709 are clipped to it.

The master's own peak is not looked at: the same code value always comes out the same.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from gpu.render.matrix import BT709, BT2020, LUMA

Curve = Literal["pq", "hlg"]
CURVES: dict[int, Curve] = {16: "pq", 18: "hlg"}
"""The light curves of ITU-R BT.2100 by number of ITU-T H.273, table 3."""
SDR_WHITE = 203.0
HDR_PEAK = 1000.0
"""Both in cd/m2."""
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""xy of red, green and blue by number of H.273, table 2: BT.709, BT.2020, Display P3; all with D65."""
_D65 = (0.3127, 0.3290)
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 10_000.0
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_SYSTEM_GAMMA = 1.2
_DISPLAY_GAMMA = 2.4

Values = npt.NDArray[np.float64]


class Coding(NamedTuple):
    """What the R'G'B' of an HDR picture mean; `primaries` is a key of PRIMARIES."""

    curve: Curve
    primaries: int


def tonemapped(codes: Values, coding: Coding) -> Values:
    """Y'CbCr of shape (3, ...) -> Y'CbCr of bt709 in eight-bit codes, not rounded; both in TV range.

    Comes in ten-bit codes with the matrix of BT.2020, non-constant luminance.
    """
    signal = np.clip(_rgb(codes, LUMA[BT2020]), 0, None)
    light = _pq_light(signal) if coding.curve == "pq" else _hlg_light(signal, coding.primaries)
    inside = np.clip(_mixed(_to_bt709(coding.primaries), light), 0, None)
    peak = inside.max(axis=0)
    scale = np.divide(_rolled_off(peak), peak, out=np.ones_like(peak), where=peak > 0)
    # BT.1886 with a black of 0.
    return _ycbcr((inside * scale / SDR_WHITE) ** (1 / _DISPLAY_GAMMA), LUMA[BT709])


def _pq_light(signal: Values) -> Values:
    """The EOTF of SMPTE ST 2084 and BT.2100, table 4: R'G'B' -> cd/m2."""
    power = np.minimum(signal, 1) ** (1 / _M2)
    return _PQ_PEAK * (np.clip(power - _C1, 0, None) / (_C2 - _C3 * power)) ** (1 / _M1)


def _pq_signal(light: Values) -> Values:
    """The inverse of `_pq_light`."""
    power = (light / _PQ_PEAK) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def _hlg_light(signal: Values, primaries: int) -> Values:
    """The EOTF of BT.2100, table 5, without a lift of black: R'G'B' -> cd/m2. Signals above 1 are super-white."""
    dark, bright = signal**2 / 3, (np.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12
    scene = np.where(signal <= 0.5, dark, bright)
    luminance = np.tensordot(_rgb_to_xyz(primaries)[1], scene, 1)
    return HDR_PEAK * luminance ** (_HLG_SYSTEM_GAMMA - 1) * scene


def _rolled_off(light: Values) -> Values:
    """The EETF of BT.2390 from HDR_PEAK to SDR_WHITE with a black of 0, in cd/m2."""
    top = _pq_signal(np.array(HDR_PEAK))
    highest = _pq_signal(np.array(SDR_WHITE)) / top
    knee = 1.5 * highest - 0.5
    signal = np.minimum(_pq_signal(light) / top, 1)
    t = (signal - knee) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * highest
    return _pq_light(np.where(signal < knee, signal, spline) * top)


def _rgb(codes: Values, luma: tuple[float, float]) -> Values:
    red, blue = luma
    y, cb, cr = (codes[0] - 64) / 876, (codes[1] - 512) / 896, (codes[2] - 512) / 896
    r, b = y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb
    return np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b])


def _ycbcr(signal: Values, luma: tuple[float, float]) -> Values:
    red, blue = luma
    r, g, b = signal
    y = red * r + (1 - red - blue) * g + blue * b
    return np.stack([16 + 219 * y, 128 + 112 * (b - y) / (1 - blue), 128 + 112 * (r - y) / (1 - red)])


def _mixed(matrix: Values, colours: Values) -> Values:
    return np.asarray(np.tensordot(matrix, colours, 1))


def _to_bt709(primaries: int) -> Values:
    """The matrix of BT.2087 for BT.2020, worked out for any primaries from their places."""
    return np.linalg.inv(_rgb_to_xyz(BT709)) @ _rgb_to_xyz(primaries)


def _rgb_to_xyz(primaries: int) -> Values:
    """SMPTE RP 177: the sum of the primaries is white."""
    places = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (*PRIMARIES[primaries], _D65)]).T
    return np.asarray(places[:, :3] * np.linalg.solve(places[:, :3], places[:, 3]))

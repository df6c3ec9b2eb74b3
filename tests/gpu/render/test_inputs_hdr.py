"""HDR comes out as bt709: against the published formulas, worked out sample by sample, and against zimg's own."""

import math
import random
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.frame import VideoFrame

from gpu.contract import ErrorCode
from gpu.plan.spec import EditSpec
from gpu.render.errors import MediaFailure
from gpu.render.picture import normalised, planes
from gpu.render.plane import samples
from gpu.render.produce import probe_file
from tests.gpu.render.rendering import numbers_in, render
from tests.gpu.render.test_inputs import HEVC, assert_tagged, blocks
from tests.gpu.render.videos import paintings, write_with_ffmpeg

Triple = tuple[float, float, float]
PQ, HLG, WIDE, NARROW = 16, 18, 9, 1
CURVES = {"pq": PQ, "hlg": HLG}
SEED = 2100
PATCH = 16
BT2087 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
"""BT.2087 and its inverse, as printed."""


def mixed(matrix: tuple[Triple, Triple, Triple], colour: Triple) -> Triple:
    red, green, blue = (sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in matrix)
    return red, green, blue


def pq_light(signal: float) -> float:
    """ST 2084, equation 4.1."""
    root = signal ** (32 / 2523)
    return float(10_000 * (max(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (8192 / 1305))


def pq_signal(light: float) -> float:
    """ST 2084, equation 5.1."""
    root = (light / 10_000) ** (1305 / 8192)
    return float(((107 / 128 + 2413 / 128 * root) / (1 + 2392 / 128 * root)) ** (2523 / 32))


def hlg_scene(signal: float) -> float:
    a, b, c = 0.17883277, 1 - 4 * 0.17883277, 0.5 - 0.17883277 * math.log(4 * 0.17883277)
    return signal * signal / 3 if signal <= 0.5 else (math.exp((signal - c) / a) + b) / 12


def hlg_signal(scene: float) -> float:
    a, b, c = 0.17883277, 1 - 4 * 0.17883277, 0.5 - 0.17883277 * math.log(4 * 0.17883277)
    return math.sqrt(3 * scene) if scene <= 1 / 12 else a * math.log(12 * scene - b) + c


def luminance(colour: Triple) -> float:
    return 0.2627 * colour[0] + 0.6780 * colour[1] + 0.0593 * colour[2]


def light_of(signal: Triple, curve: str) -> Triple:
    """BT.2100 at 1000 cd/m2: what the display shows."""
    red, green, blue = (max(part, 0) for part in signal)
    if curve == "pq":
        return pq_light(min(red, 1)), pq_light(min(green, 1)), pq_light(min(blue, 1))
    scene = hlg_scene(red), hlg_scene(green), hlg_scene(blue)
    gain = 1000 * luminance(scene) ** 0.2 if luminance(scene) else 0
    return scene[0] * gain, scene[1] * gain, scene[2] * gain


def signal_of(light: Triple, curve: str) -> Triple:
    if curve == "pq":
        return pq_signal(light[0]), pq_signal(light[1]), pq_signal(light[2])
    scale = (luminance(light) / 1000) ** (-0.2 / 1.2) / 1000 if luminance(light) else 0
    return hlg_signal(light[0] * scale), hlg_signal(light[1] * scale), hlg_signal(light[2] * scale)


def eetf(light: float) -> float:
    """BT.2390 from 1000 to 203 cd/m2."""
    top = pq_signal(1000)
    largest = pq_signal(203) / top
    knee = 1.5 * largest - 0.5
    signal = min(pq_signal(light) / top, 1)
    if signal >= knee:
        t = (signal - knee) / (1 - knee)
        first = (1 + 2 * t) * (1 - t) ** 2 * knee + t * (1 - t) ** 2 * (1 - knee)
        signal = first + t * t * (3 - 2 * t) * largest
    return pq_light(signal * top)


def encoded(signal: Triple) -> Triple:
    """BT.2020's Y'CbCr in ten-bit codes."""
    y = luminance(signal)
    return 64 + 876 * y, 512 + 896 * (signal[2] - y) / 1.8814, 512 + 896 * (signal[0] - y) / 1.4746


def expected(codes: Triple, curve: str) -> Triple:
    y, cb, cr = (codes[0] - 64) / 876, (codes[1] - 512) / 896, (codes[2] - 512) / 896
    red, blue = y + 1.4746 * cr, y + 1.8814 * cb
    light = light_of((red, (y - 0.2627 * red - 0.0593 * blue) / 0.6780, blue), curve)
    red, green, blue = (max(part, 0) for part in mixed(BT2087, light))
    brightest = max(red, green, blue)
    scale = eetf(brightest) / brightest if brightest else 0
    red, green, blue = ((part * scale / 203) ** (1 / 2.4) for part in (red, green, blue))
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * y, 128 + 224 * (blue - y) / 1.8556, 128 + 224 * (red - y) / 1.5748


def patches(colours: Iterable[Triple], curve: str, size: int = PATCH) -> VideoFrame:
    """A row of squares of ten-bit colours."""
    rows = np.rint(np.array(list(colours))).astype(np.uint16)
    frame = VideoFrame(len(rows) * size, size, "yuv420p10le")
    for number, plane in enumerate(frame.planes):
        view = samples(plane, np.uint16)
        view[:] = np.repeat(rows[:, number], size if number == 0 else size // 2)[None, : view.shape[1]]
    frame.color_trc, frame.color_primaries, frame.colorspace = CURVES[curve], WIDE, WIDE
    frame.color_range = 1
    return frame


def middles(frame: VideoFrame, size: int = PATCH) -> npt.NDArray[np.float64]:
    """Y, Cb and Cr of each square."""
    parts = zip((1, 2, 2), planes(frame), strict=True)
    return np.array([plane[plane.shape[0] // 2, size // step // 2 :: size // step] for step, plane in parts], float)


def misses(colours: list[Triple], curve: str) -> npt.NDArray[np.float64]:
    got = middles(normalised(patches(colours, curve)))
    return np.asarray(np.abs(got - np.array([expected(colour, curve) for colour in colours]).T))


def colours_of_bt709(curve: str, saturation: float) -> list[Triple]:
    """What a camera sees: colours inside of bt709, up to reference white, as HDR holds them."""
    chance = random.Random(SEED)
    found: list[Triple] = []
    for _ in range(600):
        grey = chance.uniform(0.15, 0.85)
        sdr = (grey + saturation * chance.uniform(-grey, 1 - grey) for _ in range(3))
        red, green, blue = (203 * part**2.4 for part in sdr)
        y, cb, cr = encoded(signal_of(mixed(TO_BT2020, (red, green, blue)), curve))
        found.append((float(round(y)), float(round(cb)), float(round(cr))))
    return found


@pytest.mark.parametrize("curve", CURVES)
def test_greys_are_exact(curve: str) -> None:
    assert misses([(float(code), 512.0, 512.0) for code in range(40, 1000, 3)], curve).max() <= 0.52


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("saturation", "mean", "largest"), [(0.3, 0.35, 2.0), (0.8, 0.6, 12.0)])
def test_colours_follow_the_formulas(curve: str, saturation: float, mean: float, largest: float) -> None:
    error = misses(colours_of_bt709(curve, saturation), curve)
    assert error.mean() < mean, f"seed {SEED}"
    assert error.max() < largest, f"seed {SEED}"


@pytest.mark.parametrize(("curve", "reference_white"), [("pq", 0.581), ("hlg", 0.75)])
def test_reference_white_lands_below_white_and_the_peak_on_it(curve: str, reference_white: float) -> None:
    """BT.2408: 203 cd/m2 is 58 % PQ and 75 % HLG. Black stays black, and 50 cd/m2 stay 50."""
    peak = pq_signal(1000) if curve == "pq" else 1.0
    mid = pq_signal(50) if curve == "pq" else hlg_signal(0.05 ** (1 / 1.2))
    frame = normalised(patches([(64 + 876 * level, 512.0, 512.0) for level in (0, mid, reference_white, peak)], curve))
    black, middle, white, highest = middles(frame)[0]
    assert (black, highest) == (16, 235)
    assert (white - 16) / 219 == pytest.approx(0.90, abs=0.01)
    assert (middle - 16) / 219 == pytest.approx((50 / 203) ** (1 / 2.4), abs=0.005)


def test_a_sharp_edge_between_colours_stays_one() -> None:
    """Colours are looked up once per chroma sample; each side of an edge keeps its own brightness."""
    colours: list[Triple] = [(300.0, 512.0, 512.0), (600.0, 470.0, 560.0)] * 4
    y = planes(normalised(patches(colours, "hlg"))).y.astype(float)
    for number, colour in enumerate(colours):
        inner = y[4:-4, number * PATCH + 2 : (number + 1) * PATCH - 2]
        assert np.abs(inner - expected(colour, "hlg")[0]).max() < 2


def test_every_pixel_keeps_its_own_brightness() -> None:
    """Stripes of one pixel, finer than the chroma."""
    frame, levels = patches([(300.0, 512.0, 512.0)] * 2, "hlg"), (300.0, 640.0)
    samples(frame.planes[0], np.uint16)[:, 1::2] = levels[1]
    y = planes(normalised(frame)).y
    for column, level in enumerate(levels):
        assert set(y[:, column::2].ravel().tolist()) == {round(expected((level, 512.0, 512.0), "hlg")[0])}


@pytest.mark.parametrize("layout", ["p010le", "yuv422p10le", "yuv444p12le"])
def test_every_layout_comes_out_alike(layout: str) -> None:
    frame = patches(colours_of_bt709("pq", 0.3)[:60], "pq")
    other = frame.reformat(format=layout)
    difference = middles(normalised(other)) - middles(normalised(frame))
    assert np.abs(difference).max() <= 2
    assert np.abs(difference).mean() < 0.2


def test_odd_sizes_and_timestamps_are_kept() -> None:
    frame = VideoFrame(35, 19, "yuv420p10le")
    for plane, code in zip(frame.planes, (500, 512, 512), strict=True):
        samples(plane, np.uint16)[:] = code
    frame.color_trc, frame.colorspace, frame.pts, frame.time_base = HLG, WIDE, 77, Fraction(1, 90_000)
    out = normalised(frame)
    assert (out.width, out.height, out.pts, out.time_base) == (35, 19, 77, Fraction(1, 90_000))
    assert set(planes(out).y.ravel().tolist()) == {round(expected((500.0, 512.0, 512.0), "hlg")[0])}


def test_primaries_that_are_bt709_already_are_left() -> None:
    """The same codes with other primaries: red of bt709 is less of a red than that of BT.2020."""
    colour = encoded((0.5, 0.3, 0.3))
    wide, narrow = patches([colour], "hlg"), patches([colour], "hlg")
    narrow.color_primaries = NARROW
    assert middles(normalised(wide))[2, 0] - middles(normalised(narrow))[2, 0] > 5


def hdr_recording(path: Path, curve: str, frames: int = 20) -> Path:
    """Of the sample: its white is 203 cd/m2. zimg converts, with formulas of its own."""
    transfer = {"pq": "smpte2084", "hlg": "arib-std-b67"}[curve]
    light = "zscale=t=linear:npl=203:p=2020:agamma=0,format=gbrpf32le"
    filters = f"{light},zscale=t={transfer}:p=2020:m=2020_ncl:npl=203:agamma=0,format=yuv420p10le"
    return write_with_ffmpeg(path, paintings(frames), (*HEVC, "-vf", filters, "-tag:v", "hvc1"))


@pytest.mark.parametrize("curve", CURVES)
def test_a_recording_in_hdr_looks_like_the_same_in_sdr(tmp_path: Path, curve: str) -> None:
    video, out = hdr_recording(tmp_path / "phone.mp4", curve), tmp_path / "out.mp4"
    with video.open("rb") as file:
        info = probe_file(file)
    assert (info.transfer, info.pixel_format, info.frame_count) == (curve, "yuv420p10le", 20)
    render(video, EditSpec.model_validate({"in_frame": 3, "out_frame": 20}), out)
    assert numbers_in(out) == list(range(3, 20))
    assert_tagged(out)
    with av.open(str(out)) as container:
        drawn = planes(next(container.decode(video=0)))
    painted = planes(paintings(4)[3])
    for got, source in zip(drawn, painted, strict=True):
        darker = blocks(painted.y if source is painted.y else painted.y[::2, ::2].copy()) < 150
        difference = (blocks(got) - blocks(source))[darker]
        assert np.abs(difference).mean() < 1.5
        assert abs(difference.mean()) < 1.0


def test_what_is_bt709_already_passes_untouched() -> None:
    frame = VideoFrame(64, 36, "yuv420p")
    frame.colorspace, frame.color_range, frame.color_trc = 1, 1, 1
    assert normalised(frame) is frame


@pytest.mark.parametrize(("told", "code"), [(False, "unsupported_media"), (True, None)])
def test_dolby_vision_without_a_base_is_refused(tmp_path: Path, told: bool, code: ErrorCode | None) -> None:
    """Profile 5 has colours of its own and tells no curve; the others are HLG, HDR10 or SDR below."""
    tags = "color_trc=arib-std-b67:colorspace=bt2020nc" if told else "color_trc=unknown:colorspace=unknown"
    arguments = (*HEVC, "-vf", f"setparams=color_primaries=unknown:{tags},format=yuv420p10le", "-tag:v", "hev1")
    video = write_with_ffmpeg(tmp_path / "phone.mp4", paintings(3), arguments)
    video.write_bytes(video.read_bytes().replace(b"hev1", b"dvhe"))
    with video.open("rb") as file:
        if code is None:
            assert probe_file(file).transfer == "hlg"
            return
        with pytest.raises(MediaFailure, match="Dolby Vision") as refused:
            probe_file(file)
    assert refused.value.code == code

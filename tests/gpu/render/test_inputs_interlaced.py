"""Interlaced video comes out without combs, each frame in its place."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from gpu.plan.spec import EditSpec
from gpu.render.deinterlace import Deinterlacer
from gpu.render.media import open_media, shown_at
from gpu.render.picture import Plane, planes
from gpu.render.produce import probe_file
from gpu.render.reader import Picture, Range, read_range
from gpu.sample.counter import StripLayout, draw_counter
from tests.gpu.render.field_pictures import write_field_pictures
from tests.gpu.render.rendering import numbers_in, render
from tests.gpu.render.videos import HEIGHT, SIZE, WIDTH, paintings, read_lumas, write_with_ffmpeg

RATE = Fraction(25)
FRAMES = 30
STEP = 6
"""Pixels that the bars move from one field to the next."""
BELOW = StripLayout(*SIZE).block + 4
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-g", "10", "-flags", "+ilme+ildct")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-g", "10", "-bf", "2", "-flags", "+ilme+ildct")
PRORES = ("-c:v", "prores_ks", "-profile:v", "hq", "-flags", "+ilme+ildct")


def bars(field: int, height: int = HEIGHT) -> Plane:
    """Upright bars at the time of a field."""
    x = np.arange(WIDTH) - STEP * field
    return np.broadcast_to(np.where(x // 16 % 2, 190, 60).astype(np.uint8), (height, WIDTH))


def picture(upper: Plane, lower: Plane, number: int) -> VideoFrame:
    """The rows of two pictures in turn, under a counter."""
    frame = VideoFrame(WIDTH, len(upper), "yuv420p")
    y, u, v = planes(frame)
    y[::2], y[1::2] = upper[::2], lower[1::2]
    u[:], v[:] = 110, 140
    draw_counter(y, number)
    return frame


def woven(frames: int, top_first: bool = True, height: int = HEIGHT) -> list[VideoFrame]:
    pairs = [(bars(2 * number, height), bars(2 * number + 1, height)) for number in range(frames)]
    return [picture(*(pair if top_first else pair[::-1]), number) for number, pair in enumerate(pairs)]


def combs(luma: Plane) -> float:
    """How far rows lie from the mean of their neighbours, in codes."""
    rows = luma[BELOW:].astype(float)
    return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())


def write(path: Path, arguments: Sequence[str], top_first: bool = True) -> Path:
    fields = f"setfield={'tff' if top_first else 'bff'}"
    return write_with_ffmpeg(path, woven(FRAMES, top_first), ("-vf", fields, *arguments), rate=RATE)


def read(video: Path, first: int, end: int) -> list[Picture]:
    with video.open("rb") as file, open_media(file) as media:
        items = read_range(media, Range(first, end, RATE), with_sound=False)
        return [item for item in items if isinstance(item, Picture)]


@pytest.mark.parametrize("top_first", [True, False], ids=["top field first", "bottom field first"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("a.mp4", H264), ("a.ts", MPEG2), ("a.mov", PRORES), ("b.ts", H264)],
    ids=["H.264", "MPEG-2", "ProRes", "H.264 in TS"],
)
def test_every_frame_is_in_its_place_and_has_no_combs(
    tmp_path: Path, name: str, arguments: Sequence[str], top_first: bool
) -> None:
    video, out = write(tmp_path / name, arguments, top_first), tmp_path / "out.mp4"
    with video.open("rb") as file:
        info = probe_file(file)
    assert (info.interlaced, info.fps_num, info.fps_den, info.frame_count) == (True, 25, 1, FRAMES)
    render(video, EditSpec.model_validate({"in_frame": 4, "out_frame": FRAMES}), out)
    assert numbers_in(out) == list(range(4, FRAMES))
    stored = combs(planes(woven(1)[0]).y)
    assert stored > 20
    for number, luma in enumerate(read_lumas(out)[1:-1], 5):
        assert combs(luma) < stored / 8
        assert np.abs(luma[BELOW:].astype(float) - bars(2 * number)[BELOW:]).mean() < 8


@pytest.mark.parametrize("stamp_each_field", [True, False])
def test_fields_that_are_pictures_of_their_own_count_as_one_frame(tmp_path: Path, stamp_each_field: bool) -> None:
    height = 192
    pictures = woven(FRAMES, height=height)
    video = write_field_pictures(tmp_path / "a.ts", pictures, RATE, stamp_each_field=stamp_each_field)
    with video.open("rb") as file:
        info = probe_file(file)
    assert (info.interlaced, info.fps_num, info.fps_den, info.frame_count) == (True, 25, 1, FRAMES)
    render(video, EditSpec.model_validate({"in_frame": 7, "out_frame": FRAMES}), tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4", None, (WIDTH, height)) == list(range(7, FRAMES))
    assert combs(read_lumas(tmp_path / "out.mp4")[5]) < combs(planes(pictures[0]).y) / 8


@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, 3), (9, 11), (10, 12), (FRAMES - 1, FRAMES)])
def test_short_ranges_begin_and_end_exactly(tmp_path: Path, first: int, end: int) -> None:
    video = write(tmp_path / "a.mp4", H264)
    pictures = read(video, first, end)
    assert [one.number for one in pictures] == list(range(first, end))
    for one in pictures:
        expected = picture(bars(2 * one.number), bars(2 * one.number), one.number)
        difference = planes(one.frame).y.astype(float) - planes(expected).y
        assert np.abs(difference).mean() < 8
        assert not one.frame.interlaced_frame


def test_a_frame_is_the_same_wherever_the_range_begins(tmp_path: Path) -> None:
    video = write(tmp_path / "a.mp4", H264)
    whole, part = read(video, 0, FRAMES), read(video, 17, 21)
    for one in part:
        np.testing.assert_array_equal(planes(one.frame).y, planes(whole[one.number].frame).y)


def test_progressive_pictures_pass_untouched() -> None:
    frames, fields = paintings(3), Deinterlacer()
    out = [shown for frame in frames for shown in fields.convert(frame)] + list(fields.finish())
    assert [id(one) for one in out] == [id(one) for one in frames]


def test_what_becomes_interlaced_later_is_deinterlaced_from_there(tmp_path: Path) -> None:
    """As broadcasts change from a film to the studio and back."""
    still = [picture(bars(0), bars(0), number) for number in range(20)]
    first = write_with_ffmpeg(tmp_path / "film.ts", still, MPEG2[:6], rate=RATE)
    second = write(tmp_path / "studio.ts", MPEG2)
    decoded = [frame for part in (first, second, first) for frame in decode(part)]
    assert [frame.interlaced_frame for frame in decoded] == [False] * 20 + [True] * FRAMES + [False] * 20
    fields = Deinterlacer()
    for number, frame in enumerate(decoded):
        frame.pts, frame.time_base = number, 1 / RATE
    out = [shown for frame in decoded for shown in fields.convert(frame)] + list(fields.finish())
    assert [shown_at(shown) * RATE for shown in out] == list(range(len(decoded)))
    assert max(combs(planes(frame).y) for frame in out[21 : 19 + FRAMES]) < 5


def decode(path: Path) -> list[VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))

"""The lower third: where it draws, how it reads against any picture, what it counts and cuts."""

import hashlib
import subprocess
import sys

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.geometry import Size
from gpu.plan.spec import Caption
from gpu.render.caption import MOST_TAGS, SAFE_MARGIN, CaptionPainter
from gpu.render.picture import Plane, Planes

BLACK, WHITE, GREY = 16, 235, 126
FULL_HD, UPRIGHT = Size(1920, 1080), Size(1080, 1920)
SIZES = [
    Size(256, 144),
    Size(144, 256),
    Size(640, 360),
    Size(960, 540),
    FULL_HD,
    UPRIGHT,
    Size(3840, 2160),
    Size(2160, 3840),
    Size(16, 16),
    Size(1920, 16),
    Size(98, 50),
]
LONG = "Wins the ball high, beats two defenders on the outside and finds the far post. " * 3
CAPTION = Caption(rating=4, tags=("Counter-attack", "Left foot", "Assist"), notes=LONG)
LARGE_CAPTION = Caption(rating=3, tags=tuple(f"{'Tag' * 8} {index}" for index in range(70)), notes="W" * 280)

Image = npt.NDArray[np.float64]


def picture(size: Size, luma: int | Plane = GREY, chroma: int = 128, padding: int = 0) -> Planes:
    """Planes of one value, as views on rows that are `padding` samples longer."""
    planes = []
    for step, value in ((1, luma), (2, chroma), (2, chroma)):
        plane = np.zeros((size.height // step, size.width // step + padding), np.uint8)[:, : size.width // step]
        plane[:] = value
        planes.append(plane)
    return Planes(*planes)


def noise(size: Size, seed: int = 7) -> Planes:
    generator = np.random.default_rng(seed)
    return Planes(
        *(
            generator.integers(16, top, (size.height // step, size.width // step), np.uint8, endpoint=True)
            for step, top in ((1, 235), (2, 240), (2, 240))
        )
    )


def drawn(caption: Caption, size: Size = FULL_HD, luma: int | Plane = GREY) -> Planes:
    result = picture(size, luma)
    CaptionPainter(size, caption).draw(result)
    return result


def inside(painter: CaptionPainter, plane: Plane, step: int = 1) -> Plane:
    """The part of a plane that belongs to the painter's box."""
    assert painter.box is not None
    left, top, width, height = (value // step for value in painter.box)
    return plane[top : top + height, left : left + width]


def opacity(painter: CaptionPainter, size: Size) -> Image:
    """Of each luma sample in the box, from what it makes of black and of white."""
    dark, bright = picture(size, BLACK), picture(size, WHITE)
    painter.draw(dark)
    painter.draw(bright)
    return 1 - (inside(painter, bright.y).astype(float) - inside(painter, dark.y)) / (WHITE - BLACK)


def luminance(luma: npt.NDArray[np.integer]) -> Image:
    """Relative luminance of a grey as WCAG 2 defines it."""
    signal = np.clip((luma.astype(float) - BLACK) / (WHITE - BLACK), 0, 1)
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("caption", [CAPTION, LARGE_CAPTION], ids=["usual", "large"])
def test_draws_in_its_box_only_and_the_box_stays_in_the_safe_area(size: Size, caption: Caption) -> None:
    painter = CaptionPainter(size, caption)
    assert painter.box is not None
    left, top, width, height = painter.box
    margin = SAFE_MARGIN * min(size)
    assert left >= margin
    assert top >= margin
    assert left + width <= size.width - margin
    assert top + height <= size.height - margin
    assert width > 0
    assert height > 0
    result = picture(size, padding=14)
    painter.draw(result)
    for plane, untouched, step in zip(result, picture(size), (1, 2, 2), strict=True):
        assert (inside(painter, plane, step) != inside(painter, untouched, step)).any()
        inside(painter, plane, step)[:] = inside(painter, untouched, step)
        whole = plane.base
        assert whole is not None
        assert (whole[:, plane.shape[1] :] == 0).all()
        np.testing.assert_array_equal(plane, untouched)


@pytest.mark.parametrize("upright", [False, True])
def test_the_largest_caption_fits_into_the_smallest_pictures(upright: bool) -> None:
    for shorter in range(16, 240, 2):
        size = Size(shorter, 2 * shorter) if upright else Size(2 * shorter, shorter)
        box = CaptionPainter(size, LARGE_CAPTION).box
        assert box is not None
        assert min(box.left, box.top) >= SAFE_MARGIN * shorter, size
        assert box.left + box.width <= size.width - SAFE_MARGIN * shorter, size


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_stands_at_the_lower_left_on_whole_chroma_samples(size: Size) -> None:
    box = CaptionPainter(size, CAPTION).box
    assert box is not None
    assert all(value % 2 == 0 for value in box)
    margin = SAFE_MARGIN * min(size)
    assert box.left < margin + 2
    assert size.height - box.top - box.height < margin + 2


@pytest.mark.parametrize(("size", "least"), [(FULL_HD, 28), (UPRIGHT, 28), (Size(960, 540), 14), (Size(256, 144), 8)])
def test_capitals_are_high_enough_to_be_read(size: Size, least: int) -> None:
    painter = CaptionPainter(size, Caption(notes="H"))
    rows = np.flatnonzero((opacity(painter, size)[:, min(size) // 25 :] > 0.95).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= least


@pytest.mark.parametrize("size", [FULL_HD, UPRIGHT, Size(960, 540), Size(256, 144)], ids=str)
def test_letters_keep_off_the_edges_of_the_plate(size: Size) -> None:
    painter = CaptionPainter(size, LARGE_CAPTION)
    clear = opacity(painter, size) < 0.82
    bar, edge = max(2, min(size) // 100), max(2, min(size) // 100)
    assert clear[:edge].all() or clear[:edge, bar + 1 :].all()
    assert clear[-edge:, bar + 1 :].all()
    assert clear[:, -edge:].all()
    assert clear[:, bar + 1 : bar + 1 + edge // 2].all()


@pytest.mark.parametrize("ground", ["black", "white", "noise of seed 7"])
@pytest.mark.parametrize("size", [FULL_HD, Size(960, 540)], ids=str)
def test_letters_contrast_with_plate_and_chips_on_any_picture(size: Size, ground: str) -> None:
    painter = CaptionPainter(size, Caption(tags=("WHITE", "CHIPS"), notes="LETTERS AND PLATE"))
    result = {"black": picture(size, BLACK), "white": picture(size, WHITE), "noise of seed 7": noise(size, 7)}[ground]
    painter.draw(result)
    edge = min(size) // 40
    middle = np.s_[edge:-edge, edge:-edge]
    covered, luma = opacity(painter, size)[middle], inside(painter, result.y)[middle]
    even = cv2.dilate(covered, np.ones((3, 3))) - cv2.erode(covered, np.ones((3, 3))) < 0.01
    letters, flat = luma[covered > 0.99], luma[even & (covered < 0.95)]
    plate, chips = np.ptp(covered[even & (covered < 0.8)]), np.ptp(covered[even & (covered > 0.8) & (covered < 0.95)])
    assert letters.size > 500
    assert max(plate, chips) < 0.02
    assert (luminance(letters).min() + 0.05) / (luminance(flat).max() + 0.05) >= 4.5


def shapes(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.int32]]:
    """Outer outlines from left to right."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return sorted((np.asarray(outline, np.int32) for outline in outlines), key=lambda outline: outline[:, 0, 0].min())


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_a_rating_is_that_many_filled_of_five_stars(rating: int) -> None:
    painter = CaptionPainter(FULL_HD, Caption(rating=rating))
    result = picture(FULL_HD, BLACK)
    painter.draw(result)
    _bar, *stars = shapes(inside(painter, result.y) > 100)
    assert len(stars) == 5
    filled = [cv2.pointPolygonTest(star, centre(star), False) > 0 and is_lit(painter, result, star) for star in stars]
    assert filled == [True] * rating + [False] * (5 - rating)
    for star in stars:
        assert len(cv2.approxPolyDP(star, 3, True)) == 10
        hull = cv2.contourArea(cv2.convexHull(star))
        assert cv2.contourArea(star) < 0.75 * hull


def centre(outline: npt.NDArray[np.int32]) -> tuple[float, float]:
    x, y = outline[:, 0].mean(axis=0)
    return float(x), float(y)


def is_lit(painter: CaptionPainter, result: Planes, star: npt.NDArray[np.int32]) -> bool:
    x, y = centre(star)
    return bool(inside(painter, result.y)[round(y), round(x)] > 150)


def test_filled_stars_are_golden_and_letters_are_white() -> None:
    painter = CaptionPainter(FULL_HD, Caption(rating=5, notes="H"))
    result = picture(FULL_HD)
    painter.draw(result)
    luma, blue, red = (inside(painter, plane, step) for plane, step in zip(result, (1, 2, 2), strict=True))
    letters = luma[::2, ::2] == WHITE
    assert letters.any()
    golden = (blue < 60) & (red > 150)
    assert golden[:, 12:].sum() > 5 * 100
    assert (np.abs(blue[cv2.erode(letters.astype(np.uint8), np.ones((3, 3))) > 0].astype(int) - 128) <= 1).all()


def test_more_text_takes_more_lines_up_to_four() -> None:
    heights = []
    for words in (5, 15, 25, 35, 60):
        box = CaptionPainter(UPRIGHT, Caption(notes="abc " * words)).box
        assert box is not None
        heights.append(box.height)
    one, two, three, four, more = heights
    assert two - one == pytest.approx(three - two, abs=2)
    assert three - two == pytest.approx(four - three, abs=2)
    assert one < two < three < four == more


def test_notes_of_full_length_that_do_not_fit_end_in_an_ellipsis() -> None:
    """Three dots on the base line are the last that is drawn in the last line."""
    painter = CaptionPainter(UPRIGHT, Caption(notes="H" * 280))
    ink = opacity(painter, UPRIGHT) > 0.9
    rows = np.flatnonzero(ink[:, 20:].any(axis=1))
    last_line = ink[rows[-1] - 30 : rows[-1] + 1]
    last_letters = shapes(last_line)[-4:]
    heights = [int(np.ptp(outline[:, 0, 1])) + 1 for outline in last_letters]
    assert heights[0] > 25
    assert all(height < 10 for height in heights[1:])


def test_tags_take_two_rows_and_the_others_are_counted() -> None:
    def tags(count: int) -> Caption:
        return Caption(tags=("Through ball",) * count)

    one, two, many = (CaptionPainter(UPRIGHT, tags(count)).box for count in (3, 5, 60))
    assert one is not None
    assert two is not None
    assert many is not None
    assert one.height < two.height == many.height
    assert (drawn(tags(50), UPRIGHT).y != drawn(tags(51), UPRIGHT).y).any()
    assert (drawn(tags(500), UPRIGHT).y != drawn(tags(501), UPRIGHT).y).any()


@pytest.mark.parametrize("size", [FULL_HD, UPRIGHT, Size(256, 144)], ids=str)
def test_a_tag_stands_in_the_middle_of_its_chip(size: Size) -> None:
    painter = CaptionPainter(size, Caption(tags=("HHH",)))
    covered = opacity(painter, size)[:, min(size) // 50 :]
    letters, chip = (np.argwhere(covered > least) for least in (0.95, 0.8))
    for axis in (0, 1):
        assert chip[:, axis].min() < letters[:, axis].min()
        assert letters[:, axis].max() < chip[:, axis].max()
        middle = (chip[:, axis].min() + chip[:, axis].max()) / 2
        assert (letters[:, axis].min() + letters[:, axis].max()) / 2 == pytest.approx(middle, abs=1.5)


def test_blank_tags_before_others_are_neither_shown_nor_in_the_way() -> None:
    blank = ("\u200b",) * MOST_TAGS
    assert CaptionPainter(FULL_HD, Caption(tags=blank)).box is None
    assert CaptionPainter(FULL_HD, Caption(tags=(*blank, "seen"))).box is not None
    np.testing.assert_array_equal(drawn(Caption(tags=("\n", "a"))).y, drawn(Caption(tags=("a",))).y)


@pytest.mark.parametrize("caption", [Caption(), Caption(notes=" \n\t\u200e"), Caption(tags=("\x00",))], ids=repr)
def test_an_empty_caption_draws_nothing(caption: Caption) -> None:
    painter, result = CaptionPainter(FULL_HD, caption), noise(FULL_HD)
    painter.draw(result)
    assert painter.box is None
    for plane, untouched in zip(result, noise(FULL_HD), strict=True):
        np.testing.assert_array_equal(plane, untouched)


def test_text_read_from_the_right_stands_at_the_right() -> None:
    def place(notes: str) -> float:
        painter = CaptionPainter(FULL_HD, Caption(notes=notes))
        covered = opacity(painter, FULL_HD)[-60:, 20:] > 0.9
        return float(np.flatnonzero(covered.any(axis=0)).mean() - covered.shape[1] / 2)

    long = " ".join("שלום" for _ in range(30))
    assert place(f"{long}\nשלום") > 300
    assert place(f"{long}\nabcd") < -300


@pytest.mark.parametrize("seed", [1, 2])
def test_samples_stay_in_tv_range(seed: int) -> None:
    result = noise(FULL_HD, seed)
    CaptionPainter(FULL_HD, CAPTION).draw(result)
    for plane, top in zip(result, (235, 240, 240), strict=True):
        assert plane.min() >= 16
        assert plane.max() <= top


def test_a_picture_of_another_size_is_refused() -> None:
    painter = CaptionPainter(FULL_HD, CAPTION)
    with pytest.raises(ValueError, match="1280 x 720"):
        painter.draw(picture(Size(1280, 720)))


FINGERPRINT = """
import numpy as np
from gpu.plan.geometry import Size
from gpu.plan.spec import Caption
from gpu.render.caption import CaptionPainter
from gpu.render.picture import Planes
import hashlib
planes = Planes(*(np.full((540 // step, 960 // step), 90, np.uint8) for step in (1, 2, 2)))
CaptionPainter(Size(960, 540), Caption(rating=2, tags=("Gegenstoß", "日本"), notes="Ελληνικά – Кириллица")).draw(planes)
print(hashlib.sha256(b"".join(plane.tobytes() for plane in planes)).hexdigest())
"""


def test_a_caption_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    fresh = subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True).stdout
    drawn(Caption(rating=5, tags=("日本", "Ab"), notes="Ελληνικά ж"), UPRIGHT)
    result = picture(Size(960, 540), 90, 90)
    caption = Caption(rating=2, tags=("Gegenstoß", "日本"), notes="Ελληνικά – Кириллица")
    CaptionPainter(Size(960, 540), caption).draw(result)
    assert hashlib.sha256(b"".join(plane.tobytes() for plane in result)).hexdigest() == fresh.strip()

"""The highlight against its formulas, worked out in floats for the whole picture, and what they are for."""

import math
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gpu.plan.ellipse import Ellipse
from gpu.plan.geometry import Size
from gpu.plan.spec import Effect, HighlightStyle
from gpu.render.ellipse_mask import Oval, Zone, parts
from gpu.render.highlight import Highlighter
from gpu.render.picture import Planes

SIZE = Size(320, 240)
ELLIPSE = Ellipse(150.3, 110.8, 96.4, 71.9, "#ffd400", 1.0, 0.0, 1.0)
RING_ALONE = HighlightStyle(strength=0, ring_width=0.1)
EFFECTS: tuple[Effect, ...] = ("spotlight", "brighten")
Floats = npt.NDArray[np.float64]


def picture(size: Size = SIZE, *, seed: int = 1, padding: int = 0, low: int = 0, high: int = 256) -> Planes:
    """Noise; each row is followed by `padding` bytes that are not the picture's."""
    noise = np.random.default_rng(seed)
    half = (size.height + 1) // 2, (size.width + 1) // 2
    shapes = ((size.height, size.width), half, half)
    y, u, v = (noise.integers(low, high, (rows, columns + padding), np.uint8)[:, :columns] for rows, columns in shapes)
    return Planes(y, u, v)


def flat(luma: int, size: Size = SIZE) -> Planes:
    drawn = picture(size)
    for plane, value in zip(drawn, (luma, 128, 128), strict=True):
        plane[:] = value
    return drawn


def copied(source: Planes) -> Planes:
    return Planes(*(plane.copy() for plane in source))


def highlighted(source: Planes, style: HighlightStyle, ellipse: Ellipse) -> Planes:
    target = picture(size_of(source), seed=99)
    Highlighter(size_of(source), style).draw(source, ellipse, target)
    return target


def size_of(drawn: Planes) -> Size:
    return Size(drawn.y.shape[1], drawn.y.shape[0])


def samples(plane: npt.NDArray[np.uint8], ellipse: Ellipse, step: int) -> tuple[Floats, Floats]:
    """Places of a plane's samples relative to the ellipse's centre, in samples."""
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    return columns + 0.5 - ellipse.x / step, rows + 0.5 - ellipse.y / step


def radius(plane: npt.NDArray[np.uint8], ellipse: Ellipse, step: int) -> Floats:
    x, y = samples(plane, ellipse, step)
    return np.asarray(np.hypot(x / (ellipse.radius_x / step), y / (ellipse.radius_y / step)))


def smoothstep(start: float, end: float, value: Floats) -> Floats:
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(3 * t**2 - 2 * t**3)


def colour(text: str) -> tuple[float, float, float]:
    red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * y, 128 + 224 * (blue - y) / 1.8556, 128 + 224 * (red - y) / 1.5748


def worked_out(source: Planes, style: HighlightStyle, ellipse: Ellipse) -> list[Floats]:
    """The formulas of the module, in floats and without shortcuts."""
    result = []
    for plane, value, step in zip(source, colour(ellipse.color), (1, 2, 2), strict=True):
        radius_x, radius_y = ellipse.radius_x / step, ellipse.radius_y / step
        smaller = min(radius_x, radius_y)
        x, y = samples(plane, ellipse, step)
        r, code, k = radius(plane, ellipse, step), plane.astype(np.float64), style.strength * ellipse.strength
        soft = max(style.softness, 1 / smaller)
        if style.effect == "spotlight":
            code -= k * smoothstep(1, (1 + soft) ** 2, r**2) * (code - (16 if step == 1 else 128))
        elif step == 1:
            lift = np.where((code > 16) & (code < 235), (235 - code) * (code - 16) / 219, 0)
            code += k * smoothstep(1, (1 - min(soft, 1)) ** 2, r**2) * lift
        gradient = np.hypot(x / radius_x**2, y / radius_y**2) / r
        distance, half = (r - 1) / gradient, style.ring_width * smaller / 2
        fill = ellipse.strength * ellipse.fill_opacity * np.clip(0.5 - distance, 0, 1)
        ring = np.clip(0.5 + half - np.abs(distance), 0, min(1, 2 * half))
        cover = 1 - (1 - fill) * (1 - ellipse.strength * ellipse.stroke_opacity * ring)
        result.append(code + cover * (value - code))
    return result


def assert_follows(source: Planes, style: HighlightStyle, ellipse: Ellipse) -> None:
    expected = worked_out(source, style, ellipse)
    for plane, values in zip(highlighted(source, style, ellipse), expected, strict=True):
        np.testing.assert_allclose(plane, values, rtol=0, atol=1.001)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("fill", [0.0, 0.4])
@pytest.mark.parametrize("softness", [0.0, 0.25, 1.0])
def test_every_sample_follows_the_formulas(effect: Effect, fill: float, softness: float) -> None:
    style = HighlightStyle(effect=effect, strength=0.8, softness=softness)
    assert_follows(picture(), style, ELLIPSE._replace(stroke_opacity=0.7, fill_opacity=fill, strength=0.9))


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_large_ellipse_in_a_large_picture_follows_the_formulas(effect: Effect) -> None:
    ellipse = ELLIPSE._replace(x=611.2, y=350.9, radius_x=480.1, radius_y=333.3)
    assert_follows(picture(Size(1280, 720)), HighlightStyle(effect=effect, strength=1), ellipse)


@pytest.mark.parametrize("seed", range(80))
def test_random_ellipses_in_and_out_of_the_picture_follow_the_formulas(seed: int) -> None:
    chance = np.random.default_rng(seed)
    size = (SIZE, Size(97, 61), Size(64, 48))[seed % 3]
    style = HighlightStyle(
        effect=EFFECTS[seed % 2],
        strength=chance.uniform(0, 1),
        softness=chance.choice([0.0, 0.01, chance.uniform(0, 1)]),
        ring_width=chance.choice([0.0, chance.uniform(0, 0.5)]),
    )
    ellipse = Ellipse(
        x=chance.uniform(-0.4, 1.4) * size.width,
        y=chance.uniform(-0.4, 1.4) * size.height,
        radius_x=math.exp(chance.uniform(-2, 6)),
        radius_y=math.exp(chance.uniform(-2, 6)),
        color=f"#{chance.integers(0, 1 << 24):06x}",
        stroke_opacity=chance.choice([0.0, chance.uniform(0, 1), 1.0]),
        fill_opacity=chance.choice([0.0, chance.uniform(0, 1)]),
        strength=chance.uniform(0, 1),
    )
    assert_follows(picture(size, seed=seed), style, ellipse)


@pytest.mark.parametrize("seed", range(40))
def test_the_parts_of_a_plane_cover_it_once_and_lie_where_they_say(seed: int) -> None:
    chance = np.random.default_rng(seed)
    width, height = 400, 300
    oval = Oval(*chance.uniform(-100, 500, 2), *np.exp(chance.uniform(0, 6.5, 2)))
    inner, outer = chance.uniform(-0.2, 1), chance.uniform(1, 2)
    rows, columns = np.mgrid[:height, :width]
    r = np.hypot((columns + 0.5 - oval.x) / oval.radius_x, (rows + 0.5 - oval.y) / oval.radius_y)
    seen = np.zeros((height, width), int)
    for part in parts(oval, inner, outer, width, height):
        place = part.rows, part.columns
        seen[place] += 1
        assert r[place].size > 0
        assert part.zone is not Zone.INSIDE or r[place].max() <= inner + 1e-9
        assert part.zone is not Zone.OUTSIDE or r[place].min() >= outer - 1e-9
    assert (seen == 1).all()


def test_a_spotlight_keeps_the_bytes_inside_and_darkens_by_its_strength_beyond_the_edge() -> None:
    source, style = picture(low=16, high=236), HighlightStyle(strength=0.6, softness=0.2)
    target = highlighted(source, style, ELLIPSE._replace(stroke_opacity=0))
    for old, new, step, dark in zip(source, target, (1, 2, 2), (16, 128, 128), strict=True):
        r = radius(old, ELLIPSE, step)
        np.testing.assert_array_equal(new[r <= 1], old[r <= 1])
        beyond = r >= 1.2
        np.testing.assert_allclose(new[beyond], dark + 0.4 * (old[beyond].astype(float) - dark), atol=0.501)
        assert beyond.any()


def test_a_brightened_ellipse_leaves_the_bytes_outside_and_all_colours() -> None:
    source = picture()
    target = highlighted(source, HighlightStyle(effect="brighten", strength=1), ELLIPSE._replace(stroke_opacity=0))
    outside = radius(source.y, ELLIPSE, 1) >= 1
    np.testing.assert_array_equal(target.y[outside], source.y[outside])
    assert (target.y[~outside] != source.y[~outside]).mean() > 0.5
    np.testing.assert_array_equal(target.u, source.u)
    np.testing.assert_array_equal(target.v, source.v)


def test_a_ring_changes_nothing_farther_than_half_its_width_and_a_sample_from_the_border() -> None:
    source = picture()
    target = highlighted(source, RING_ALONE, ELLIPSE)
    half = RING_ALONE.ring_width * ELLIPSE.radius_y / 2
    for old, new, step in zip(source, target, (1, 2, 2), strict=True):
        away = np.abs(radius(old, ELLIPSE, step) - 1) * ELLIPSE.radius_y / step > half / step + 1
        np.testing.assert_array_equal(new[away], old[away])


def test_brightening_keeps_the_order_of_codes_and_clips_none() -> None:
    codes = flat(0, Size(256, 64))
    codes.y[:] = np.arange(256)
    ellipse = Ellipse(128, 32, 1e5, 1e5, "#ffffff", 0, 0, 1)
    lifted = highlighted(codes, HighlightStyle(effect="brighten", strength=1), ellipse).y[32].astype(int)
    assert all(first <= second for first, second in pairwise(lifted))
    np.testing.assert_array_equal(lifted[:17], np.arange(17))
    np.testing.assert_array_equal(lifted[235:], np.arange(235, 256))
    assert lifted[125] == 125 + 55
    assert (np.diff(lifted[16:236]) <= 2).all()


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("fill", [0.0, 0.3])
@pytest.mark.parametrize("width", [320, 319])
def test_drawing_in_place_gives_the_same_bytes(effect: Effect, fill: float, width: int) -> None:
    source = picture(Size(width, 240), padding=7)
    ellipse, style = ELLIPSE._replace(fill_opacity=fill), HighlightStyle(effect=effect)
    elsewhere = highlighted(source, style, ellipse)
    Highlighter(size_of(source), style).draw(source, ellipse, source)
    for here, there in zip(source, elsewhere, strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("effect", EFFECTS)
def test_no_strength_copies_every_byte(effect: Effect) -> None:
    source = picture()
    target = highlighted(source, HighlightStyle(effect=effect), ELLIPSE._replace(strength=0, fill_opacity=1))
    for old, new in zip(source, target, strict=True):
        np.testing.assert_array_equal(new, old)


def test_neither_effect_nor_opacity_copies_every_byte() -> None:
    source = picture()
    target = highlighted(source, HighlightStyle(strength=0), ELLIPSE._replace(stroke_opacity=0, fill_opacity=0))
    for old, new in zip(source, target, strict=True):
        np.testing.assert_array_equal(new, old)


@pytest.mark.parametrize("effect", EFFECTS)
def test_rows_with_padding_give_the_same_picture_and_keep_their_padding(effect: Effect) -> None:
    style = HighlightStyle(effect=effect)
    source, target = picture(padding=13), picture(seed=5, padding=29)
    memory = [plane.base for plane in target]
    before = [np.array(whole)[:, plane.shape[1] :] for whole, plane in zip(memory, target, strict=True)]
    Highlighter(SIZE, style).draw(source, ELLIPSE, target)
    for dense, padded in zip(highlighted(copied(source), style, ELLIPSE), target, strict=True):
        np.testing.assert_array_equal(dense, padded)
    for padding, whole, plane in zip(before, memory, target, strict=True):
        np.testing.assert_array_equal(np.array(whole)[:, plane.shape[1] :], padding)


@pytest.mark.parametrize("ring_width", [0.004, 0.06, 0.3])
def test_a_ring_has_its_width_and_its_place(ring_width: float) -> None:
    """A cut through the centre, and the whole ring's area against its length times its width."""
    style, ellipse = HighlightStyle(strength=0, ring_width=ring_width), ELLIPSE._replace(color="#ffffff")
    drawn = (highlighted(flat(16), style, ellipse).y - 16.0) / 219
    width = ring_width * ellipse.radius_y
    radius_x, radius_y = ellipse.radius_x, ellipse.radius_y
    turns = np.linspace(0, 2 * math.pi, 4000, endpoint=False)
    length = 2 * math.pi * np.hypot(radius_x * np.sin(turns), radius_y * np.cos(turns)).mean()
    assert drawn.sum() == pytest.approx(length * width, rel=0.02)
    row, column = drawn[int(ellipse.y)], drawn[:, int(ellipse.x)]
    for cut, centre, reach in ((row, ellipse.x, radius_x), (column, ellipse.y, radius_y)):
        places = np.arange(cut.size) + 0.5
        for side, border in ((places > centre, centre + reach), (places < centre, centre - reach)):
            assert cut[side].sum() == pytest.approx(width, abs=0.02)
            assert (cut * places)[side].sum() / cut[side].sum() == pytest.approx(border, abs=0.12 / width)


@pytest.mark.parametrize(
    ("color", "codes"),
    [
        ("#ffffff", (235, 128, 128)),
        ("#000000", (16, 128, 128)),
        ("#ff0000", (63, 102, 240)),
        ("#00ff00", (173, 42, 26)),
        ("#0000ff", (32, 240, 118)),
        ("#808080", (126, 128, 128)),
    ],
)
def test_colours_are_bt709_in_tv_range(color: str, codes: tuple[int, int, int]) -> None:
    filled = highlighted(picture(), HighlightStyle(strength=0), ELLIPSE._replace(color=color, fill_opacity=1))
    ringed = highlighted(picture(), HighlightStyle(strength=0, ring_width=0.3), ELLIPSE._replace(color=color))
    for inside, ring, step, code in zip(filled, ringed, (1, 2, 2), codes, strict=True):
        r = radius(inside, ELLIPSE, step)
        assert set(inside[r < 0.95].tolist()) == {code}
        assert set(ring[np.abs(r - 1) < 0.1].tolist()) == {code}


@pytest.mark.parametrize("step", [0.13, 0.5, 1.7])
@pytest.mark.parametrize("plane", [0, 1])
@pytest.mark.parametrize("style", [HighlightStyle(strength=0.9, ring_width=0), RING_ALONE])
def test_the_highlight_moves_by_parts_of_a_pixel(style: HighlightStyle, plane: int, step: float) -> None:
    source = flat(126)
    source.u[:] = 200
    middles, moves = [], [(0.7 * step * number, step * number) for number in range(24)]
    for x, y in moves:
        ellipse = Ellipse(140 + x, 100 + y, 40, 30, "#00ff00", 1, 0, 1)
        outside = int(highlighted(source, style, ellipse)[plane][0, 0])
        change = np.abs(highlighted(source, style, ellipse)[plane].astype(float) - outside)
        rows, columns = np.mgrid[: change.shape[0], : change.shape[1]]
        scale = 2 if plane else 1
        middles.append([scale * ((grid + 0.5) * change).sum() / change.sum() for grid in (columns, rows)])
    off = np.array(middles) - np.array(moves) - (140, 100)
    assert np.sqrt((off**2).mean()) <= 0.1


@pytest.mark.parametrize("effect", EFFECTS)
def test_all_that_is_drawn_grows_with_the_strength(effect: Effect) -> None:
    source, style = flat(126), HighlightStyle(effect=effect, strength=1, ring_width=0.1)
    ellipse = ELLIPSE._replace(color="#ffffff", fill_opacity=0.0)
    full, half = (highlighted(source, style, ellipse._replace(strength=strength)).y - 126.0 for strength in (1.0, 0.5))
    r = radius(source.y, ellipse, 1)
    apart = np.abs(r - 1) * ellipse.radius_y > 0.05 * ellipse.radius_y + 1
    on_ring = np.abs(r - 1) * ellipse.radius_y < 0.05 * ellipse.radius_y - 2
    np.testing.assert_allclose(half[apart], full[apart] / 2, atol=1)
    assert np.abs(full[apart]).max() > 50
    assert (full[on_ring] == 109).all()
    assert (half[on_ring] < 109).all()


@pytest.mark.parametrize(("x", "y"), list(product((-900.0, 160.0, 1500.0), (-900.0, 1500.0))))
def test_an_ellipse_outside_of_the_picture_darkens_all_of_it_or_brightens_nothing(x: float, y: float) -> None:
    source, ellipse = flat(116), ELLIPSE._replace(x=x, y=y, fill_opacity=1)
    assert (highlighted(source, HighlightStyle(strength=0.5), ellipse).y == 66).all()
    assert (highlighted(source, HighlightStyle(effect="brighten"), ellipse).y == 116).all()


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_centre_may_lie_on_a_sample(effect: Effect) -> None:
    ellipse = Ellipse(50.5, 30.5, 20, 12, "#ffffff", 1, 1, 1)
    assert highlighted(flat(116), HighlightStyle(effect=effect), ellipse).y[30, 50] == 235


def test_an_ellipse_smaller_than_a_sample_draws_next_to_nothing() -> None:
    source, style = flat(116), HighlightStyle(effect="brighten", strength=1)
    for radius_x, radius_y in product((1e-300, 1e-3, 50.0), (1e-300, 1e-3)):
        ellipse = Ellipse(150.5, 110.5, radius_x, radius_y, "#ffffff", 1, 0, 1)
        changed = highlighted(source, style, ellipse).y.astype(int) - 116
        assert np.abs(changed).max() <= 60
        assert np.count_nonzero(changed) <= 4 * max(radius_x, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"radius_x": 0.0},
        {"radius_y": -3.0},
        {"x": math.nan},
        {"y": math.inf},
        {"radius_x": math.nan},
        {"radius_x": 2e6},
        {"x": -2e6},
        {"color": "#ffd4"},
        {"color": "yellow"},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    source = picture()
    with pytest.raises(ValueError, match=r"."):
        Highlighter(SIZE, HighlightStyle()).draw(source, ELLIPSE._replace(**wrong), source)


def test_planes_of_another_size_are_refused() -> None:
    highlighter = Highlighter(Size(322, 240), HighlightStyle())
    with pytest.raises(ValueError, match="planes of"):
        highlighter.draw(picture(), ELLIPSE, picture())

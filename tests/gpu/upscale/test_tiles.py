"""Tiles: every pixel is kept once, with its surroundings in its tile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu.plan.geometry import Size
from gpu.upscale.tiles import Span, tile_picture

sides = st.integers(1, 400)


@settings(deadline=None)
@given(st.builds(Size, sides, sides), st.integers(3, 90), st.integers(0, 40))
def test_every_pixel_is_kept_once_with_a_margin_around_it(picture: Size, side: int, margin: int) -> None:
    margin = min(margin, (side - 1) // 2)
    tiling = tile_picture(picture, side, margin)
    columns = {tile.across for tile in tiling.tiles}
    rows = {tile.down for tile in tiling.tiles}
    assert len(tiling.tiles) == len(set(tiling.tiles)) == len(columns) * len(rows)
    assert max(tiling.size) <= side
    for length, width, spans in (
        (picture.width, tiling.size.width, columns),
        (picture.height, tiling.size.height, rows),
    ):
        kept = [pixel for span in sorted(spans) for pixel in range(span.keep_from, span.keep_to)]
        assert kept == list(range(length))
        for span in spans:
            assert 0 <= span.start <= span.start + width <= length
            assert span.keep_from - span.start >= margin or span.start == span.keep_from == 0
            assert span.start + width - span.keep_to >= margin or span.start + width == span.keep_to == length


@given(sides, st.integers(3, 90), st.integers(0, 40))
def test_there_are_no_more_tiles_than_needed(length: int, side: int, margin: int) -> None:
    margin = min(margin, (side - 1) // 2)
    tiles = len(tile_picture(Size(length, 1), side, margin).tiles)
    fewer = side + (tiles - 2) * (side - 2 * margin)
    assert tiles == 1 if length <= side else fewer < length


def test_a_small_picture_is_one_tile() -> None:
    tiling = tile_picture(Size(100, 40), 128, 16)
    assert tiling.size == Size(100, 40)
    assert [(tile.across, tile.down) for tile in tiling.tiles] == [(Span(0, 0, 100), Span(0, 0, 40))]


@pytest.mark.parametrize(("side", "margin"), [(32, 16), (31, 16), (8, -1)])
def test_tiles_that_are_all_margin_are_refused(side: int, margin: int) -> None:
    with pytest.raises(ValueError, match="cannot have margins"):
        tile_picture(Size(100, 100), side, margin)

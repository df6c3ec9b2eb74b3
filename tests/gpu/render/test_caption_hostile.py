"""Captions that are made to break the drawing, or to make it work for long."""

import random

import numpy as np
import pytest

from gpu.plan.geometry import Size
from gpu.plan.spec import LONGEST_NOTES, Caption
from gpu.render.caption import MOST_TAGS, CaptionPainter
from gpu.render.lettering import Lettering, cleaned
from gpu.render.picture import Planes

SMALL = Size(320, 180)
RANGES = [
    (0x0, 0x20),
    (0x20, 0x7E),
    (0x80, 0x24F),
    (0x300, 0x36F),
    (0x590, 0x6FF),
    (0x900, 0xDFF),
    (0x1100, 0x11FF),
    (0x2000, 0x206F),
    (0x20D0, 0x20FF),
    (0x3000, 0x9FFF),
    (0xE000, 0xF8FF),
    (0xFB00, 0xFFFF),
    (0x1D400, 0x1D7FF),
    (0x1F000, 0x1FAFF),
    (0xE0000, 0xE01EF),
    (0x10FFF0, 0x10FFFF),
]


def text(generator: random.Random, length: int) -> str:
    ranges = generator.sample(RANGES, generator.randint(1, 4))
    return "".join(chr(generator.randint(*generator.choice(ranges))) for _ in range(generator.randint(1, length)))


def drawn(size: Size, caption: Caption) -> Planes:
    planes = Planes(*(np.full((size.height // step, size.width // step), 99, np.uint8) for step in (1, 2, 2)))
    painter = CaptionPainter(size, caption)
    painter.draw(planes)
    if painter.box is not None:
        left, top, width, height = painter.box
        planes.y[top : top + height, left : left + width] = 99
    return planes


@pytest.mark.parametrize("seed", range(60))
def test_random_text_is_drawn_in_its_box(seed: int) -> None:
    generator = random.Random(seed)
    tags = tuple(text(generator, 60) for _ in range(generator.randint(0, 5)))
    size = generator.choice([SMALL, Size(90, 160), Size(16, 16), Size(64, 640)])
    caption = Caption(rating=generator.choice([None, 1, 5]), tags=tags, notes=text(generator, LONGEST_NOTES))
    assert (drawn(size, caption).y == 99).all()


@pytest.mark.parametrize(
    "notes",
    [
        "Z" + "\u0338\u0489" * 139,
        "\u0301" * 280,
        "\n" * 280,
        "a\n" * 140,
        "\ufdfa" * 280,
        "\u202e\u2067" * 140,
        "\u05d0(" * 140,
        "W" * 280,
        " " * 279 + "x",
        "\U0001f468\u200d" * 140,
        "\ud800\udfff" * 140,
        "%s {} \\N \\x00" * 20,
        "\u115f\u3164" * 140,
        "\x00" * 279 + "a",
    ],
    ids=lambda notes: ascii(notes[:4]),
)
def test_notes_that_break_others_are_drawn_in_their_box(notes: str) -> None:
    caption = Caption.model_construct(rating=3, tags=(notes[:60],), notes=notes)
    assert (drawn(SMALL, caption).y == 99).all()


def test_a_caption_of_most_characters_rasterises_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rasterised: list[str] = []
    original = Lettering._raster

    def counted(self: Lettering, char: str) -> object:
        rasterised.append(char)
        return original(self, char)

    monkeypatch.setattr(Lettering, "_raster", counted)
    CaptionPainter(SMALL, Caption(notes="".join(chr(0x4E00 + index % 40) for index in range(280))))
    assert len(rasterised) <= 2 * (40 + 3)


def test_thousands_of_tags_cost_no_more_than_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counted(value: str) -> str:
        looked_at.append(value)
        return cleaned(value)

    monkeypatch.setattr("gpu.render.caption.cleaned", counted)
    tags = tuple(chr(0x4E00 + index) * 60 for index in range(5000))
    assert (drawn(SMALL, Caption(tags=tags)).y == 99).all()
    assert len(looked_at) == MOST_TAGS + 1

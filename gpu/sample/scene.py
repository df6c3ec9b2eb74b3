"""Draws one frame of the match on yuv420p planes: grass that the camera pans over, two teams, counter and flash."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from gpu.sample.counter import BLACK, WHITE, StripLayout, draw_counter

Plane = npt.NDArray[np.uint8]
SEED = 20260321
PAN = 0.25
"""The world is this much wider than the picture."""
FLASH_FRAMES = 3
NOISE_LEVEL = 6
"""Levels by which a camera's noise lifts the picture; without any, encoders have it far too easy."""
_NOISE_ROOM = 64
_SHIFT = 4
_LINE = (205, 120, 122)


class Planes(NamedTuple):
    """Y, U and V of one picture; U and V have half the width and height."""

    y: Plane
    u: Plane
    v: Plane


@dataclass(frozen=True)
class _Player:
    """A walk made of two sines an axis, in parts of the world's size; `colour` is YUV."""

    home: tuple[float, float]
    reach: tuple[float, float]
    rate: tuple[float, float]
    phase: tuple[float, float]
    colour: tuple[int, int, int]

    def position(self, seconds: float) -> tuple[float, float]:
        x, y = (
            home + reach * (math.sin(rate * seconds + phase) + 0.3 * math.sin(2.3 * rate * seconds + 2 * phase))
            for home, reach, rate, phase in zip(self.home, self.reach, self.rate, self.phase, strict=True)
        )
        return x, y


class Scene:
    """Draws frames of `width` x `height` at `fps` frames a second; odd sizes are drawn one pixel larger and cut."""

    def __init__(self, width: int, height: int, fps: float) -> None:
        self.width, self.height, self.fps = width + width % 2, height + height % 2, fps
        generator = np.random.default_rng(SEED)
        self._world_width = int(self.width * (1 + PAN)) // 2 * 2
        self._world = self._pitch(generator)
        self._players = self._teams(generator)
        self._noise = self._sensor_noise(generator)

    def draw(self, number: int) -> Planes:
        """Planes of frame `number`; they belong to the caller."""
        seconds = number / self.fps
        camera = self._camera(seconds)
        planes = Planes(
            self._world.y[:, camera : camera + self.width].copy(),
            self._world.u[:, camera // 2 : (camera + self.width) // 2].copy(),
            self._world.v[:, camera // 2 : (camera + self.width) // 2].copy(),
        )
        for player in sorted(self._players, key=lambda one: one.position(seconds)[1]):
            self._draw_player(planes, player, seconds, camera)
        self._add_noise(planes.y, number)
        self._draw_signs(planes, number)
        return planes

    def flashes(self, number: int) -> bool:
        """Whether the flash is on: the first frames of every second, while the beep sounds."""
        return number % round(self.fps) < FLASH_FRAMES

    def flash_rows(self) -> slice:
        """Rows of the band that is white during a flash and black otherwise."""
        block = StripLayout(self.width, self.height).block
        return slice(block * 2, block * 3)

    def _camera(self, seconds: float) -> int:
        room = self._world_width - self.width
        return int(room * (0.5 - 0.5 * math.cos(seconds * 0.35))) // 2 * 2

    def _pitch(self, generator: np.random.Generator) -> Planes:
        width, height = self._world_width, self.height
        stripe = np.where(np.arange(width) // max(1, width // 16) % 2, 104, 118)
        grain = cv2.GaussianBlur(generator.normal(0, 14, (height, width)).astype(np.float32), (0, 0), 1.2)
        luma = np.clip(stripe[None, :] + grain, 16, 235).astype(np.uint8)
        half = (height // 2, width // 2)
        planes = Planes(luma, np.full(half, 96, np.uint8), np.full(half, 104, np.uint8))
        top, line = int(height * 0.14), max(1, height // 270) * 2
        self._rectangle(planes, (width // 40, top), (width - width // 40, height - height // 30), line)
        self._rectangle(planes, (width // 2, top), (width // 2 + line, height - height // 30), line)
        for plane, scale, level in zip(planes, (1, 2, 2), _LINE, strict=True):
            centre = (width // 2 // scale, int(height * 0.56) // scale)
            axes = (int(height * 0.17) // scale, int(height * 0.12) // scale)
            cv2.ellipse(plane, centre, axes, 0, 0, 360, level, max(1, line // scale), cv2.LINE_AA)
        return planes

    def _sensor_noise(self, generator: np.random.Generator) -> Plane:
        """Positive noise around NOISE_LEVEL, larger than the picture, of which each frame takes another part."""
        shape = (self.height + _NOISE_ROOM, self.width + _NOISE_ROOM)
        return np.clip(generator.normal(NOISE_LEVEL, NOISE_LEVEL / 3, shape), 0, 255).astype(np.uint8)

    def _add_noise(self, luma: Plane, number: int) -> None:
        left, top = number * 37 % _NOISE_ROOM, number * 23 % _NOISE_ROOM
        cv2.add(luma, self._noise[top : top + self.height, left : left + self.width], dst=luma)

    @staticmethod
    def _rectangle(planes: Planes, start: tuple[int, int], end: tuple[int, int], line: int) -> None:
        for plane, scale, level in zip(planes, (1, 2, 2), _LINE, strict=True):
            corners = (start[0] // scale, start[1] // scale), (end[0] // scale, end[1] // scale)
            cv2.rectangle(plane, *corners, level, max(1, line // scale))

    @staticmethod
    def _teams(generator: np.random.Generator) -> list[_Player]:
        colours = [(82, 90, 220)] * 11 + [(70, 205, 100)] * 11 + [(225, 128, 128)]
        return [
            _Player(
                home=(generator.uniform(0.15, 0.85), generator.uniform(0.3, 0.85)),
                reach=(generator.uniform(0.03, 0.12), generator.uniform(0.02, 0.08)),
                rate=(generator.uniform(0.4, 1.1), generator.uniform(0.4, 1.1)),
                phase=(generator.uniform(0, 6.3), generator.uniform(0, 6.3)),
                colour=colour,
            )
            for colour in colours
        ]

    def _draw_player(self, planes: Planes, player: _Player, seconds: float, camera: int) -> None:
        x, y = player.position(seconds)
        centre = (x * self._world_width - camera, y * self.height)
        ball = player is self._players[-1]
        size = self.height * (0.006 if ball else 0.02 + 0.016 * y)
        if not ball:
            _ellipse(planes, (centre[0], centre[1] + 1.5 * size), (0.9 * size, 0.25 * size), (60, 110, 115))
            _ellipse(planes, (centre[0], centre[1] - 1.4 * size), (0.4 * size, 0.4 * size), (150, 112, 148))
        _ellipse(planes, centre, (size, size) if ball else (0.6 * size, 1.3 * size), player.colour)

    def _draw_signs(self, planes: Planes, number: int) -> None:
        layout = StripLayout(self.width, self.height)
        for plane, scale in zip(planes, (1, 2, 2), strict=True):
            plane[: layout.block * 3 // scale] = BLACK if scale == 1 else 128
        if self.flashes(number):
            planes.y[self.flash_rows()] = WHITE
        draw_counter(planes.y, number)
        seconds, frames = divmod(number, round(self.fps))
        text = f"{number:06d}  {seconds // 60:02d}:{seconds % 60:02d}.{frames:02d}"
        size = self.height / 540
        for left in range(layout.block, self.width, max(1, int(self.height * 0.55))):
            corner = (left, layout.block * 3 + int(26 * size))
            cv2.putText(planes.y, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size * 0.8, WHITE, max(1, int(size * 1.5)))


def _ellipse(
    planes: Planes, centre: tuple[float, float], axes: tuple[float, float], colour: tuple[int, int, int]
) -> None:
    for plane, scale, level in zip(planes, (1, 2, 2), colour, strict=True):
        where = tuple(round((value / scale) * (1 << _SHIFT)) for value in centre)
        size = tuple(max(1, round((value / scale) * (1 << _SHIFT))) for value in axes)
        cv2.ellipse(plane, where, size, 0, 0, 360, level, -1, cv2.LINE_AA, _SHIFT)

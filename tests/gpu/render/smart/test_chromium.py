"""Chromium plays the cut from end to end, and every frame can be sought."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpu.sample.counter import CounterError, read_counter
from tests.gpu.render.smart.conftest import Sources
from tests.gpu.render.smart.cutting import cut
from tests.gpu.render.smart.sources import encoded, without_usability_information
from tests.gpu.render.videos import RATE, SIZE, write_video, write_with_sound
from tests.web.browser import chromium

_PLAY = """
async ([data, rate, rows, count]) => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = 'data:video/mp4;base64,' + data;
  const canvas = new OffscreenCanvas(320, rows);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const shown = () => {
    const frame = new VideoFrame(video);
    context.drawImage(frame, 0, 0, 320, rows, 0, 0, 320, rows);
    frame.close();
    const greens = context.getImageData(0, 0, 320, rows).data.filter((_, i) => i % 4 === 1);
    return [frame.timestamp / 1e6, Array.from(greens)];
  };
  const happened = name => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, {once: true});
    video.addEventListener('error', () => reject(new Error(video.error.message)), {once: true});
  });
  await happened('loadeddata');
  const played = [], sought = [];
  let playing = true;
  const look = () => {
    if (!playing) return;
    played.push(shown());
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  for (let speed = 1; played.length <= 10 && speed >= 1 / 16; speed /= 2) {
    const ended = happened('ended');
    video.playbackRate = speed;
    await video.play();
    await ended;
  }
  playing = false;
  let patience = 2000;
  for (let number = 0; number < count; number++) {
    const [before] = shown(), arrived = happened('seeked');
    video.currentTime = (number + 0.5) / rate;
    await arrived;
    while (shown()[0] === before && patience-- > 0) await new Promise(requestAnimationFrame);
    sought.push(shown());
  }
  return {played, sought, duration: video.duration};
}
"""
"""Picture and time are of one `VideoFrame`: on a busy machine the next is shown between a call-back and its look. There
few pictures are shown at full speed, so it plays again, at half of it, until some were seen."""


async def _watch(video: Path, count: int) -> Any:
    data = base64.b64encode(video.read_bytes()).decode()
    async with chromium() as browser:
        page = await browser.new_page()
        return await page.evaluate(_PLAY, [data, float(RATE), 4, count])


def _number(row: list[int]) -> int | None:
    """The counter of the first rows, or None for a picture that shows none."""
    try:
        return read_counter(np.array(row, np.uint8).reshape(-1, 320), SIZE)
    except CounterError:
        return None


def _numbers(seen: list[Any]) -> list[tuple[int, int | None]]:
    """When a picture was shown, in frames, and which it was."""
    return [(round(seconds * RATE), _number(row)) for seconds, row in seen]


@pytest.mark.parametrize("name", ["reordered", "sound", "untold"])
async def test_every_frame_plays_in_order_and_can_be_sought(sources: Sources, tmp_path: Path, name: str) -> None:
    if name == "sound":
        video = write_with_sound(tmp_path / "in.mp4", 90)
    elif name == "untold":
        video = without_usability_information(write_video(tmp_path / "in.mp4", 90, tags=encoded("bframes=3:b-adapt=0")))
    else:
        video = sources.video(name)
    cut(video, 13, 58, tmp_path / "out.mp4")
    seen = await _watch(tmp_path / "out.mp4", 45)
    assert _numbers(seen["sought"]) == [(number, number + 13) for number in range(45)]
    played = _numbers(seen["played"])
    assert len(played) > 10
    assert [number for _, number in played] == [place + 13 for place, _ in played]
    assert seen["duration"] == pytest.approx(45 / 30, abs=0.002)

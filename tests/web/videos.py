"""Small real videos that Chromium decodes: H.264 and AAC, noise so that they have some size, moov first."""

from pathlib import Path

import av
import numpy as np

FPS = 30
SAMPLE_RATE = 48_000


def write_video(path: Path, width: int, height: int, frames: int, seed: int = 7) -> Path:
    """An mp4 of `frames` frames at 30 fps with a tone of the same length."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "26"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        for index in range(frames):
            picture = random.integers(0, 40, (height, width, 3), dtype=np.uint8)
            left = index * (width - 40) // max(frames - 1, 1)
            picture[height // 3 : 2 * height // 3, left : left + 40] = (61, 220, 132)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        samples = np.arange(SAMPLE_RATE * frames // FPS)
        tone = (0.2 * np.sin(2 * np.pi * 440 * samples / SAMPLE_RATE)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[np.newaxis, start : start + 1024], format="fltp", layout="mono")
            sound.sample_rate, sound.pts = SAMPLE_RATE, start
            container.mux(audio.encode(sound))
        container.mux(audio.encode())
    return path

"""What the corpus is grown from: small whole recordings, bait, and one source of chance."""

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.gpu.render.videos import write_video, write_with_sound


@dataclass(frozen=True)
class Seed:
    """`mp4` has its index at the end. `bait` is a local file, `lure` a URL: who opens either is caught."""

    mp4: bytes
    fast: bytes
    mkv: bytes
    ts: bytes
    avi: bytes
    bait: str
    lure: str
    chance: random.Random


def plant(number: int, bait: str, lure: str) -> Seed:
    with tempfile.TemporaryDirectory(prefix="seed-") as name:
        folder = Path(name)
        return Seed(
            mp4=write_with_sound(folder / "end.mp4", 30).read_bytes(),
            fast=write_video(folder / "fast.mp4", 30, options={"movflags": "+faststart"}).read_bytes(),
            mkv=write_video(folder / "one.mkv", 30).read_bytes(),
            ts=write_video(folder / "one.ts", 30).read_bytes(),
            avi=write_with_sound(folder / "one.avi", 30, "libmp3lame").read_bytes(),
            bait=bait,
            lure=lure,
            chance=random.Random(number),
        )

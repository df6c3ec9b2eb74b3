"""Ten seconds at 45:12 of a 5 GB game over HTTP ranges: the smart cut against the exact one, and the bytes it reads.

The game is an honest MP4 with an index of 90 minutes; its pictures repeat every 16 s, so the server holds one period
and serves it again and again. The clip begins half-way between two keyframes and ends in the middle of a GOP.
"""

import io
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType

from bench.figure import Figure
from gpu.plan.geometry import Size
from gpu.plan.spec import EditSpec
from gpu.render.media import open_media
from gpu.render.picture import planes
from gpu.render.produce import produce
from gpu.render.smart.cut import smart_cut
from gpu.render.smart.movie import PictureTrack, SoundTrack, movie_header, write_movie
from gpu.render.smart.parameters import read_record
from gpu.render.smart.sound import AAC_FRAME
from gpu.render.source import HttpSource
from gpu.render.sources import HttpSources
from gpu.sample.counter import read_counter
from gpu.sample.scene import Scene
from gpu.sample.writer import SAMPLE_RATE, add_video, beeps, paint

RUNS = 3
RATE = Fraction(30)
SIZE = Size(1920, 1080)
PERIOD_SECONDS = 16
"""The shortest time that is a whole number of GOPs, of chunks and of AAC packets."""
PERIODS = 338
GOP_SECONDS = 2
BITS_PER_SECOND = 7_200_000
BEGIN = (45 * 60 + 12) * 30
END = BEGIN + 10 * 30
SLOWEST_PART = 0.4
MOST_READ = 1.3


def figures() -> Iterator[Figure]:
    """Seconds of both cuts in turn, medians; bytes sent against those of the clip's own samples and the index."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        game = _game(Path(scratch) / "period.mp4")
        out = Path(scratch) / "out.mp4"
        with _serving(game) as served:
            runs = [(_exact(served, out), _smart(served, out)) for _ in range(RUNS)]
        _check(out)
    exact, smart = (statistics.median(seconds for seconds, _ in each) for each in zip(*runs, strict=True))
    yield Figure("smart cut, 10 s at 45:12 of 5 GB", smart, "s", exact, limit=SLOWEST_PART, at_most=True)
    read = max(sent for _, (_, sent) in runs) / 1e6
    own = (game.clip_bytes + len(game.header)) / 1e6
    yield Figure("bytes read by the smart cut", read, "MB", own, limit=MOST_READ, at_most=True)


@dataclass(frozen=True)
class _Game:
    """A file of `header` and then `period`, `PERIODS` times."""

    header: bytes
    period: bytes
    clip_bytes: int

    @property
    def size(self) -> int:
        return len(self.header) + PERIODS * len(self.period)

    def read(self, start: int, end: int) -> bytes:
        head = self.header[start:end]
        begin = max(0, start - len(self.header))
        count = end - start - len(head)
        first = begin % len(self.period)
        return head + (self.period * (2 + count // len(self.period)))[first : first + count]


@dataclass
class _Served:
    url: str
    sent: int = 0


def _smart(served: _Served, out: Path) -> tuple[float, int]:
    begun, sent = time.perf_counter(), served.sent
    with HttpSource(served.url) as source:
        smart_cut(source, BEGIN, END, out, lambda frames: None, source.abort)
    return time.perf_counter() - begun, served.sent - sent


def _exact(served: _Served, out: Path) -> tuple[float, int]:
    begun, sent = time.perf_counter(), served.sent
    produce(HttpSources([served.url]), "framing", EditSpec.of_clip(BEGIN, END), out, lambda progress: None)
    return time.perf_counter() - begun, served.sent - sent


def _check(out: Path) -> None:
    """Raises RuntimeError unless the cut has the clip's frames, each once and in order."""
    with av.open(str(out)) as container:
        numbers = [read_counter(planes(frame).y, SIZE) for frame in container.decode(video=0)]
    if numbers != [frame % (PERIOD_SECONDS * 30) for frame in range(BEGIN, END)]:
        raise RuntimeError(f"the smart cut has the wrong frames: {numbers}")


def _game(path: Path) -> _Game:
    _write_period(path)
    pictures, sound, picture_data, sound_data = _tracks(path)
    file = io.BytesIO()
    write_movie(file, pictures, io.BytesIO(picture_data), sound, io.BytesIO(sound_data))
    period = file.getvalue()[len(movie_header(pictures, sound)) :]
    count = len(pictures.sizes)
    whole = PictureTrack(
        SIZE,
        RATE,
        pictures.record,
        [*pictures.sizes] * PERIODS,
        [frame + count * number for number in range(PERIODS) for frame in pictures.frames],
        [frame + count * number for number in range(PERIODS) for frame in pictures.keyframes],
    )
    heard = SoundTrack(sound.header, [*sound.sizes] * PERIODS, AAC_FRAME * (len(sound.sizes) * PERIODS - 1))
    own = sum(size for size, frame in zip(whole.sizes, whole.frames, strict=True) if BEGIN <= frame < END)
    own += sum(heard.sizes[BEGIN * SAMPLE_RATE // 30 // AAC_FRAME : END * SAMPLE_RATE // 30 // AAC_FRAME + 1])
    return _Game(movie_header(whole, heard), period, own)


def _tracks(path: Path) -> tuple[PictureTrack, SoundTrack, bytes, bytes]:
    """The tracks of a file that holds one period."""
    with path.open("rb") as file, open_media(file) as media:
        if media.audio is None:
            raise RuntimeError("the period has no sound")
        media.seek(Fraction(0))
        packets = [packet for packet in media.container.demux(media.video, media.audio) if packet.size]
        shown = [packet for packet in packets if packet.stream_index == media.video.index]
        heard = [packet for packet in packets if packet.stream_index == media.audio.index]
        heard = heard[: PERIOD_SECONDS * SAMPLE_RATE // AAC_FRAME]
        pictures = PictureTrack(
            SIZE,
            RATE,
            read_record(media.video.codec_context.extradata or b"").record(),
            [packet.size for packet in shown],
            [round((packet.pts or 0) * packet.time_base * RATE) for packet in shown],
            [number for number, packet in enumerate(shown) if packet.is_keyframe],
        )
        sound = SoundTrack(media.audio.codec_context.extradata or b"", [packet.size for packet in heard], 0)
        return pictures, sound, b"".join(map(bytes, shown)), b"".join(map(bytes, heard))


def _write_period(path: Path) -> None:
    """The sample's scene as cameras write it: reordered pictures, a keyframe every two seconds from the first on."""
    scene = Scene(*SIZE, float(RATE))
    with av.open(str(path), "w") as container:
        video = add_video(container, *SIZE, RATE)
        video.options = {"preset": "superfast", "forced-idr": "1", "x264-params": "scenecut=0:bframes=2"}
        video.bit_rate, video.codec_context.gop_size = BITS_PER_SECOND, 1000
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        for number in range(PERIOD_SECONDS * 30):
            picture = paint(scene, number, *SIZE)
            picture.pts, picture.time_base = number, 1 / RATE
            is_key = number % (GOP_SECONDS * 30) == 30 or not number
            picture.pict_type = PictureType.I if is_key else PictureType.NONE
            container.mux(video.encode(picture))
        samples = np.ascontiguousarray(
            np.broadcast_to(beeps(0, PERIOD_SECONDS * SAMPLE_RATE, RATE), (2, PERIOD_SECONDS * SAMPLE_RATE))
        )
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
        container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


@contextmanager
def _serving(game: _Game) -> Iterator[_Served]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    served = _Served(f"http://127.0.0.1:{server.server_port}/game.mp4")
    server.RequestHandlerClass = _handler(game, served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(game: _Game, served: _Served) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            start, end = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
            data = game.read(start, min(end + 1, game.size))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/{game.size}")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            with lock:
                served.sent += len(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())

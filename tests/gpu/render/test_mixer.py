"""The mix is the plan's, to the sample: clips in their places, faded as planned, silence elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame

from gpu.plan import RenderPlan, compile_plan
from gpu.plan.render_plan import ClipPlan
from gpu.plan.spec import ClipEdit, EditSpec, FrameRate, Retime, Transition, Trim
from gpu.plan.timeline import speeds
from gpu.render.hearing import heard
from gpu.render.media import open_media
from gpu.render.mixer import mixed
from gpu.render.produce import probe_file
from gpu.render.shelf import Shelf
from gpu.render.sources import LocalFile, LocalSources
from gpu.sample.writer import add_video
from tests.gpu.render.test_stretch import SYNC_LIMIT_SECONDS, onsets

SAMPLE_RATE = 48_000
SEED = 20261122
Channels = npt.NDArray[np.float32]


def write(
    path: Path,
    channels: Channels | None,
    *,
    seconds: int = 4,
    fps: int = 30,
    codec: str = "pcm_f32le",
    rate: int = SAMPLE_RATE,
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> Path:
    """Sound beside grey pictures of 32 x 32; `channels` has one row each."""
    with av.open(str(path), "w", options=options or {}) as container:
        video = add_video(container, 32, 32, Fraction(fps))
        audio = container.add_stream(codec, rate=rate, layout=layout) if channels is not None else None
        for number in range(seconds * fps):
            shown = VideoFrame(32, 32, "yuv420p")
            for plane in shown.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            shown.pts, shown.time_base = number, Fraction(1, fps)
            container.mux(video.encode(shown))
        container.mux(video.encode(None))
        if isinstance(audio, AudioStream) and channels is not None:
            packed = not audio.format.is_planar
            for start in range(0, channels.shape[1], 1024):
                part = np.ascontiguousarray(channels[:, start : start + 1024])
                data = part.T.reshape(1, -1) if packed else part
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), "flt" if packed else "fltp", layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def level(value: float, seconds: float = 4) -> Channels:
    return np.full((2, round(seconds * SAMPLE_RATE)), value, np.float32)


def tone(hertz: float, seconds: float = 4, rate: int = SAMPLE_RATE, rows: int = 2) -> Channels:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.broadcast_to(wave.astype(np.float32), (rows, wave.size))


def clip(source: int = 0, start: int = 0, end: int = 30, **fields: Any) -> ClipEdit:
    return ClipEdit(source=source, in_frame=start, out_frame=end, **fields)


def plan_of(spec: EditSpec, videos: Sequence[Path]) -> RenderPlan:
    probes = []
    for video in videos:
        with video.open("rb") as file:
            probes.append(probe_file(file))
    return compile_plan(spec, *probes)


def mix(plan: RenderPlan, videos: Sequence[Path]) -> Channels:
    with Shelf(LocalSources(videos)) as shelf:
        return np.concatenate([np.zeros((2, 0), np.float32), *mixed(plan, shelf)], axis=1)


def mix_of(spec: EditSpec, *videos: Path) -> Channels:
    return mix(plan_of(spec, videos), videos)


def loudest_tone(sound: npt.NDArray[Any]) -> float:
    """Hertz, to about half a hertz where a second is given."""
    power = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 2 * SAMPLE_RATE))
    return float(power.argmax()) / 2


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("mixer")
    clicks = np.random.default_rng(SEED).normal(0, 0.004, (1, 4 * SAMPLE_RATE)).astype(np.float32)
    for start in click_places():
        clicks[0, start : start + 960] += tone(2500, 0.02)[0]
    return {
        "half": write(folder / "half.mov", level(0.5)),
        "quarter": write(folder / "quarter.mov", level(0.25), fps=25),
        "silent": write(folder / "silent.mov", None),
        "low": write(folder / "low.mov", tone(440), codec="pcm_s16le"),
        "high": write(folder / "high.mov", tone(1500, rate=44_100), codec="pcm_s16le", rate=44_100),
        "clicks": write(folder / "clicks.mov", np.repeat(clicks, 2, axis=0), codec="pcm_s16le"),
        "clicks_aac": write(folder / "clicks.mp4", clicks, codec="aac", layout="mono", fps=25),
    }


def click_places() -> list[int]:
    return [12_000 + 19_000 * number for number in range(9)]


def some_clip(generator: np.random.Generator, sources: int, frames: int) -> ClipEdit:
    start = int(generator.integers(0, frames - 30))
    count = int(generator.integers(20, frames - start + 1))
    edges = sorted({0, count, *(int(edge) for edge in generator.integers(1, count, int(generator.integers(0, 4))))})
    percents = tuple(int(percent) for percent in generator.integers(25, 401, len(edges) - 1))
    trim = Trim(in_frame=2, out_frame=count - 1) if generator.random() < 0.3 else None
    return clip(
        int(generator.integers(0, sources)),
        start,
        start + count,
        retime=Retime(boundaries=tuple(edges), speeds_percent=percents) if generator.random() < 0.8 else None,
        trim=trim,
        audio=bool(generator.random() < 0.85),
    )


def some_spec(
    generator: np.random.Generator, sources: int, kinds: Sequence[str] = ("cut", "fade", "dissolve")
) -> EditSpec:
    kind = str(generator.choice(kinds))
    rate = [None, FrameRate(num=30000, den=1001), FrameRate(num=25), FrameRate(num=60)][int(generator.integers(4))]
    return EditSpec.model_validate(
        {
            "clips": [some_clip(generator, sources, 100) for _ in range(int(generator.integers(1, 5)))],
            "transition": {"kind": kind, "frames": 0 if kind == "cut" else int(generator.integers(1, 3))},
            "rate": rate,
        }
    )


@pytest.mark.parametrize("seed", range(SEED, SEED + 16))
def test_there_are_as_many_samples_as_planned(recordings: dict[str, Path], seed: int) -> None:
    videos = [recordings[name] for name in ("clicks", "quarter", "silent", "high", "clicks_aac")]
    spec = some_spec(np.random.default_rng(seed), len(videos))
    plan = plan_of(spec, videos)
    result = mix(plan, videos)
    assert result.shape == (2, plan.sample_count or 0), spec
    assert np.array_equal(result, mix(plan, videos))


@pytest.mark.parametrize("seed", range(SEED, SEED + 12))
def test_every_click_is_where_its_picture_is(recordings: dict[str, Path], seed: int) -> None:
    videos = [recordings["clicks"], recordings["clicks_aac"]]
    spec = some_spec(np.random.default_rng(seed), len(videos), kinds=("cut",))
    plan = plan_of(spec, videos)
    found = onsets(mix(plan, videos)[0], 0.12)
    for planned, edit in zip(plan.clips, spec.clips, strict=True):
        for due in clicks_due(planned, edit, plan):
            assert np.abs(found - due).min() <= SYNC_LIMIT_SECONDS, (spec, due)


def clicks_due(planned: ClipPlan, edit: ClipEdit, plan: RenderPlan) -> Iterator[float]:
    """Seconds of the result; clicks at the edge of a range and those too close after another one are left out."""
    rate = plan.sources[planned.source].rate
    begin, last = planned.first / plan.rate, -1.0
    for start, end, percent in speeds(edit) if planned.sound else ():
        for place in click_places():
            frame = Fraction(place, SAMPLE_RATE) * rate - edit.in_frame
            due = float(begin + (frame - start) / rate * 100 / percent)
            if start + 3 < frame < end - 3 and due > last + 0.1:
                last = due
                yield due
        begin += (end - start) / rate * Fraction(100, percent)


def test_clips_are_heard_in_their_order_also_twice(recordings: dict[str, Path]) -> None:
    spec = EditSpec(clips=(clip(1), clip(0, 30, 60), clip(1, 60, 90), clip(0)))
    result = mix_of(spec, recordings["low"], recordings["high"])
    seconds = [result[:, start : start + SAMPLE_RATE] for start in range(0, 4 * SAMPLE_RATE, SAMPLE_RATE)]
    assert [loudest_tone(second[0]) for second in seconds] == [1500, 440, 1500, 440]
    assert [float(np.abs(second).max()) for second in seconds] == pytest.approx([0.5] * 4, abs=0.01)


def test_a_clip_at_its_own_speed_is_a_copy(recordings: dict[str, Path]) -> None:
    result = mix_of(EditSpec(clips=(clip(0, 15, 45),)), recordings["low"])
    wanted = tone(440)[:, 24_000:72_000]
    assert np.abs(result - wanted).max() < 2 / 32_768


@pytest.mark.parametrize(
    ("name", "codec", "flags"),
    [
        ("a.mp4", "aac", "faststart"),
        ("a.mp4", "aac", "frag_keyframe+empty_moov"),
        ("a.mov", "pcm_s16le", "faststart"),
        ("a.mkv", "libopus", ""),
        ("a.ts", "mp2", ""),
        ("a.avi", "libmp3lame", ""),
    ],
)
def test_a_clip_sounds_the_same_wherever_reading_begins(tmp_path: Path, name: str, codec: str, flags: str) -> None:
    """Within a tick of the container, which is a millisecond in MKV."""
    at = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    sweep = np.repeat(0.5 * np.sin(2 * np.pi * (200 + 100 * at) * at)[None].astype(np.float32), 2, axis=0)
    video = write(tmp_path / name, sweep, codec=codec, options={"movflags": flags} if flags else None)
    whole = mix_of(EditSpec(clips=(clip(0, 0, 110),)), video)
    late = mix_of(EditSpec(clips=(clip(0, 60, 90), clip(0, 76, 106))), video)
    for part, start in ((late[0, :SAMPLE_RATE], 60 * 1600), (late[0, SAMPLE_RATE:], 76 * 1600)):
        candidates = (whole[0, start + shift : start + shift + SAMPLE_RATE] for shift in range(-48, 49))
        assert min(float(np.abs(part - one).max()) for one in candidates) < 0.02


def test_one_source_after_itself_goes_on_without_a_seam(recordings: dict[str, Path]) -> None:
    result = mix_of(EditSpec(clips=(clip(0, 10, 40), clip(0, 40, 70))), recordings["low"])
    assert np.array_equal(result, mix_of(EditSpec(clips=(clip(0, 10, 70),)), recordings["low"]))


@pytest.mark.parametrize("quiet", [clip(1), clip(0, 0, 30, audio=False)], ids=["no sound in it", "sound turned off"])
def test_a_clip_without_sound_is_silent(recordings: dict[str, Path], quiet: ClipEdit) -> None:
    result = mix_of(EditSpec(clips=(clip(0), quiet, clip(0))), recordings["half"], recordings["silent"])
    assert (result[:, :SAMPLE_RATE] == 0.5).all()
    assert (result[:, SAMPLE_RATE : 2 * SAMPLE_RATE] == 0).all()
    assert (result[:, 2 * SAMPLE_RATE :] == 0.5).all()


def test_without_any_sound_there_is_nothing(recordings: dict[str, Path]) -> None:
    assert mix_of(EditSpec(clips=(clip(),)), recordings["silent"]).shape == (2, 0)


def test_a_dissolve_goes_from_one_to_the_other_in_a_straight_line(recordings: dict[str, Path]) -> None:
    spec = EditSpec(clips=(clip(0), clip(1, 0, 25)), transition=Transition(kind="dissolve", frames=10))
    result = mix_of(spec, recordings["half"], recordings["quarter"])
    assert result.shape == (2, 80_000)
    line = 0.5 - 0.25 * (np.arange(16_000) + 0.5) / 16_000
    assert np.abs(result[:, 32_000:48_000] - line).max() < 1e-5
    assert (result[:, :32_000] == 0.5).all()
    assert (result[:, 48_000:] == 0.25).all()


def test_a_fade_goes_to_silence_and_back_in_straight_lines(recordings: dict[str, Path]) -> None:
    spec = EditSpec(clips=(clip(), clip()), transition=Transition(kind="fade", frames=20))
    result = mix_of(spec, recordings["half"])
    assert result.shape == (2, 96_000)
    fall = 0.5 * (1 - (np.arange(16_000) + 0.5) / 16_000)
    assert np.abs(result[:, 32_000:48_000] - fall).max() < 1e-5
    assert np.abs(result[:, 48_000:64_000] - fall[::-1]).max() < 1e-5
    assert (result[:, [*range(32_000), *range(64_000, 96_000)]] == 0.5).all()


def test_a_dissolve_into_a_clip_without_sound_only_falls(recordings: dict[str, Path]) -> None:
    spec = EditSpec(clips=(clip(), clip(audio=False)), transition=Transition(kind="dissolve", frames=10))
    result = mix_of(spec, recordings["half"])
    assert result[0, 40_000] == pytest.approx(0.25, abs=1e-4)
    assert not result[:, 48_000:].any()


def test_a_dissolve_over_changed_speeds_lays_the_right_samples_over_each_other(recordings: dict[str, Path]) -> None:
    slow = Retime(boundaries=(0, 30), speeds_percent=(50,))
    spec = EditSpec(clips=(clip(retime=slow), clip(1, retime=slow)), transition=Transition(kind="dissolve", frames=12))
    result = mix_of(spec, recordings["low"], recordings["high"])
    assert result.shape == (2, (60 + 60 - 12) * 1600)
    assert [loudest_tone(part) for part in (result[0, 20_000:60_000], result[0, 110_000:150_000])] == [440, 1500]
    both = np.abs(np.fft.rfft(result[0, 48 * 1600 : 60 * 1600], 2 * SAMPLE_RATE))
    assert both[840:920].max() == pytest.approx(both[2960:3040].max(), rel=0.1)


@pytest.mark.parametrize(
    ("layout", "rows", "share"),
    [("mono", (1,), (1, 1)), ("stereo", (1, 0), (1, 0)), ("5.1", (1, 0, 0, 0, 0, 0), (1 / (1 + np.sqrt(2)), 0))],
)
@pytest.mark.parametrize("percent", [100, 60])
def test_levels_of_any_layout(
    tmp_path: Path, layout: str, rows: Sequence[int], share: Sequence[float], percent: int
) -> None:
    channels = np.ascontiguousarray(tone(500, 2, rows=1) * np.array(rows, np.float32)[:, None])
    video = write(tmp_path / "a.mov", channels, seconds=2, codec="pcm_s16le", layout=layout)
    spec = EditSpec(clips=(clip(0, 0, 30, retime=Retime(boundaries=(0, 30), speeds_percent=(percent,))),))
    middle = mix_of(spec, video)[:, 12_000:36_000]
    assert np.sqrt(2 * (middle**2).mean(axis=1)) == pytest.approx([0.5 * one for one in share], abs=0.01)


def test_lost_packets_are_silence_and_move_nothing(tmp_path: Path) -> None:
    video = write(tmp_path / "a.mp4", tone(440, rows=1), codec="aac", layout="mono")
    stored = bytearray(video.read_bytes())
    with av.open(str(video)) as container:
        lost = [p for p in container.demux(audio=0) if p.pts is not None and 1 <= p.pts * p.time_base < 2]
    for packet in lost:
        at = packet.pos or 0
        stored[at : at + packet.size] = b"\xff" * packet.size
    video.write_bytes(stored)
    result = np.abs(mix_of(EditSpec(clips=(clip(0, 0, 120),)), video)).max(axis=0)
    assert result.size == 4 * SAMPLE_RATE
    assert result[:46_000].reshape(-1, 200).max(axis=1).min() > 0.2
    assert result[50_000:94_000].max() < 0.01
    assert result[98_000:190_000].reshape(-1, 200).max(axis=1).min() > 0.2


def test_samples_that_are_no_numbers_do_no_harm(tmp_path: Path) -> None:
    channels = level(0.5, 2).copy()
    channels[:, 30_000:30_100] = np.nan
    channels[:, 31_000:31_100] = np.inf
    channels[:, 32_000:32_100] = -1e30
    video = write(tmp_path / "a.mov", channels, seconds=2)
    fast = Retime(boundaries=(0, 30, 60), speeds_percent=(100, 130))
    result = mix_of(EditSpec(clips=(clip(0, 0, 60, retime=fast),)), video)
    assert np.abs(result).max() <= 8
    assert result[0, [100, -100]] == pytest.approx([0.5, 0.5], abs=0.001)


class CountedFile(LocalFile):
    """Knows how many bytes were read of it."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size) or b""
        self.bytes_read += len(data)
        return data


class CountedSources(LocalSources):
    """Knows what was opened."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(paths)
        self._files = tuple(paths)
        self.opened: list[CountedFile] = []

    def open(self, index: int) -> CountedFile:
        self.opened.append(CountedFile(self._files[index]))
        return self.opened[-1]


def test_clips_after_each_other_share_one_opened_source(recordings: dict[str, Path]) -> None:
    videos = [recordings["half"]]
    sources = CountedSources(videos)
    plan = plan_of(EditSpec(clips=(clip(0, 0, 25), clip(0, 60, 85), clip(0, 30, 60))), videos)
    with Shelf(sources) as shelf:
        for _ in mixed(plan, shelf):
            pass
    assert len(sources.opened) == 1


def test_stopping_early_leaves_no_source_open(recordings: dict[str, Path]) -> None:
    videos = [recordings["half"], recordings["quarter"]]
    sources = CountedSources(videos)
    spec = EditSpec(clips=(clip(0), clip(1, 0, 25)), transition=Transition(kind="dissolve", frames=20))
    with Shelf(sources) as shelf, closing(mixed(plan_of(spec, videos), shelf)) as samples:
        for _ in range(6):
            next(samples)
    assert [one.closed for one in sources.opened] == [True, True]


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes eight seconds of noisy pictures, several MB, with a tone in the first second."""
    folder = tmp_path_factory.mktemp("large")

    def write_large(name: str) -> Path:
        noise = np.random.default_rng(SEED)
        with av.open(str(folder / name), "w") as container:
            video = container.add_stream("mjpeg", rate=30, options={"qmin": "1", "qmax": "2"})
            video.width, video.height, video.pix_fmt = 320, 240, "yuvj420p"
            audio = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
            for number in range(240):
                shown = VideoFrame.from_ndarray(noise.integers(0, 256, (360, 320), np.uint8), "yuvj420p")
                shown.pts, shown.time_base = number, Fraction(1, 30)
                container.mux(video.encode(shown))
                if number < 30:
                    part = np.ascontiguousarray(tone(440, 1, rows=1)[:, number * 1600 : number * 1600 + 1600])
                    frame = av.AudioFrame.from_ndarray((part * 32_767).astype(np.int16), "s16", "mono")
                    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, number * 1600, Fraction(1, SAMPLE_RATE)
                    container.mux(audio.encode(frame))
            container.mux(video.encode(None))
            container.mux(audio.encode(None))
        return folder / name

    return write_large


@pytest.mark.parametrize(("name", "share"), [("a.mov", 0.06), ("a.mkv", 0.6)])
def test_sound_that_is_missing_is_not_looked_for_to_the_end_of_the_file(
    large: Callable[[str], Path], name: str, share: float
) -> None:
    path = large(name)
    sources = CountedSources([path])
    with closing(sources.open(0)) as file, open_media(file) as media:
        before = file.bytes_read
        wanted = plan_of(EditSpec(clips=(clip(0, 60, 90),)), [path]).clips[0].sound
        assert wanted is not None
        result = np.concatenate(list(heard(media, wanted.pieces[0].source)), axis=1)
    assert result.shape == (2, SAMPLE_RATE)
    assert not result.any()
    assert file.bytes_read - before < share * path.stat().st_size


def test_sound_before_the_first_sample_settles_the_decoder(recordings: dict[str, Path], tmp_path: Path) -> None:
    video = write(tmp_path / "a.mp4", tone(440, rows=1), codec="aac", layout="mono")
    assert np.abs(mix_of(EditSpec(clips=(clip(),)), video)[0, 48:480] - tone(440)[0, 48:480]).max() < 0.1

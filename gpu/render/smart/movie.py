"""Lays out an MP4 of one H.264 and at most one AAC track, the index first and the tracks interleaved.

Pictures come in decoding order at a constant rate, and each is shown at its own frame. An edit list takes off what
reordering and the sound encoder's start-up put before time 0, as players expect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import BinaryIO

from gpu.plan.duration import SAMPLE_RATE
from gpu.plan.geometry import Size
from gpu.render.picture import BT709
from gpu.render.smart.boxes import (
    MATRIX,
    box,
    counted_runs,
    counted_u32,
    counted_u64,
    descriptor,
    full_box,
    u16,
    u32,
)
from gpu.render.smart.sound import AAC_FRAME
from gpu.render.sound_part import AUDIO_BITS_PER_SECOND

MOVIE_TIMESCALE = SAMPLE_RATE
"""Ticks of the edit lists: exact for the sound, a hundredth of a millisecond for the pictures."""
_FINEST_TIMESCALE = 10_000
_CHUNKS_PER_SECOND = 2
_LARGEST_32_BIT = (1 << 32) - 1
_UNDETERMINED_LANGUAGE = 0x55C4
_COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class PictureTrack:
    """`sizes` in bytes and `frames` (of showing, from 0) of each picture in decoding order; `keyframes` are indices.

    `record` is the content of `avcC`.
    """

    size: Size
    rate: Fraction
    record: bytes
    sizes: Sequence[int]
    frames: Sequence[int]
    keyframes: Sequence[int]


@dataclass(frozen=True)
class SoundTrack:
    """`sizes` of the AAC packets; `sample_count` samples are heard, after one packet of start-up."""

    header: bytes
    sizes: Sequence[int]
    sample_count: int


@dataclass(frozen=True)
class _Chunk:
    track: int
    first: int
    count: int
    size: int


def write_movie(
    file: BinaryIO, pictures: PictureTrack, picture_data: BinaryIO, sound: SoundTrack | None, sound_data: BinaryIO
) -> None:
    """Writes the whole file; the data are read from their present positions on."""
    chunks = _chunks(pictures, sound)
    file.write(movie_header(pictures, sound))
    for chunk in chunks:
        _copy((picture_data, sound_data)[chunk.track], file, chunk.size)


def movie_header(pictures: PictureTrack, sound: SoundTrack | None) -> bytes:
    """Everything before the data of the tracks: the index with final offsets, and the head of `mdat`."""
    chunks = _chunks(pictures, sound)
    total = sum(chunk.size for chunk in chunks)
    brand = box("ftyp", b"isom", u32(0x200), b"isomiso2avc1mp41")
    is_large = total + (1 << 28) > _LARGEST_32_BIT
    data = u32(1) + b"mdat" + (16 + total).to_bytes(8) if is_large else u32(8 + total) + b"mdat"
    length = len(brand) + len(_index(pictures, sound, chunks, 0, is_large)) + len(data)
    return brand + _index(pictures, sound, chunks, length, is_large) + data


def _chunks(pictures: PictureTrack, sound: SoundTrack | None) -> list[_Chunk]:
    """Chunks of half a second in the order in which they lie in the file."""
    tracks = [(pictures.sizes, pictures.rate)]
    if sound is not None:
        tracks.append((sound.sizes, Fraction(SAMPLE_RATE, AAC_FRAME)))
    chunks = []
    for track, (sizes, rate) in enumerate(tracks):
        seconds = Fraction(len(sizes)) / rate
        last = int(seconds * _CHUNKS_PER_SECOND) + 1
        bounds = [min(int(number * rate / _CHUNKS_PER_SECOND), len(sizes)) for number in range(last)] + [len(sizes)]
        for number, (first, end) in enumerate(pairwise(bounds)):
            if end > first:
                chunks.append((number, _Chunk(track, first, end - first, sum(sizes[first:end]))))
    return [chunk for _, chunk in sorted(chunks, key=lambda one: (one[0], one[1].track))]


def _index(pictures: PictureTrack, sound: SoundTrack | None, chunks: list[_Chunk], start: int, is_large: bool) -> bytes:
    offsets = [*accumulate((chunk.size for chunk in chunks), initial=start)]
    placed = [
        [(chunk, offset) for chunk, offset in zip(chunks, offsets, strict=False) if chunk.track == track]
        for track in range(2)
    ]
    shown = _movie_ticks(len(pictures.sizes) / pictures.rate)
    heard = _movie_ticks(Fraction(sound.sample_count, SAMPLE_RATE)) if sound else 0
    times = u32(0, 0, MOVIE_TIMESCALE, max(shown, heard))
    header = full_box("mvhd", times, u32(1 << 16), u16(0x100), bytes(10), MATRIX, bytes(24), u32(3))
    tracks = [_picture_track(pictures, shown, _where(placed[0], is_large))]
    if sound is not None:
        tracks.append(_sound_track(sound, heard, _where(placed[1], is_large)))
    return box("moov", header, *tracks)


def _picture_track(track: PictureTrack, shown: int, where: bytes) -> bytes:
    scale, step = track.rate.numerator, track.rate.denominator
    while scale < _FINEST_TIMESCALE:
        scale, step = 2 * scale, 2 * step
    delay = max(index - frame for index, frame in enumerate(track.frames))
    count = len(track.sizes)
    tables = [
        full_box("stsd", u32(1), _picture_entry(track)),
        full_box("stts", u32(1, count, step)),
        full_box("stss", counted_u32([index + 1 for index in track.keyframes])),
    ]
    later = [(frame - index + delay) * step for index, frame in enumerate(track.frames)]
    if any(later):
        tables.append(full_box("ctts", counted_runs(later)))
    tables.append(full_box("stsz", u32(0), counted_u32(track.sizes)))
    head = _track_header(1, shown, u16(0), u32(track.size.width << 16, track.size.height << 16))
    media = _media(scale, count * step, "vide", full_box("vmhd", bytes(8), flags=1), [*tables, where])
    return box("trak", head, _edit(shown, delay * step), media)


def _sound_track(track: SoundTrack, heard: int, where: bytes) -> bytes:
    length = AAC_FRAME + track.sample_count
    steps = [AAC_FRAME] * (len(track.sizes) - 1)
    steps.append(max(1, length - AAC_FRAME * len(steps)))
    tables = [
        full_box("stsd", u32(1), _sound_entry(track)),
        full_box("stts", counted_runs(steps)),
        full_box("stsz", u32(0), counted_u32(track.sizes)),
    ]
    head = _track_header(2, heard, u16(0x100), u32(0, 0))
    media = _media(SAMPLE_RATE, sum(steps), "soun", full_box("smhd", bytes(4)), [*tables, where])
    return box("trak", head, _edit(heard, AAC_FRAME), media)


def _picture_entry(track: PictureTrack) -> bytes:
    colour = box("colr", b"nclx", u16(BT709, BT709, BT709), b"\x00")
    size = u16(track.size.width, track.size.height)
    looks = u32(0x48_0000, 0x48_0000, 0) + u16(1) + bytes(32) + u16(0x18, 0xFFFF)
    return box("avc1", bytes(6), u16(1), bytes(16), size, looks, box("avcC", track.record), colour)


def _sound_entry(track: SoundTrack) -> bytes:
    """MPEG-4 audio (ISO 14496-14, 5.6), AAC in object type 0x40."""
    rates = u32(AUDIO_BITS_PER_SECOND, AUDIO_BITS_PER_SECOND)
    decoder = descriptor(4, bytes([0x40, 0x15, 0, 0, 0]) + rates + descriptor(5, track.header))
    stream = descriptor(3, u16(2) + b"\x00" + decoder + descriptor(6, b"\x02"))
    head = bytes(6) + u16(1) + bytes(8) + u16(2, 16) + bytes(4) + u32(SAMPLE_RATE << 16)
    return box("mp4a", head, full_box("esds", stream))


def _track_header(number: int, ticks: int, volume: bytes, size: bytes) -> bytes:
    enabled_in_movie = 3
    return full_box(
        "tkhd", u32(0, 0, number, 0, ticks), bytes(8), u16(0, number - 1), volume, u16(0), MATRIX, size,
        flags=enabled_in_movie,
    )  # fmt: skip


def _edit(ticks: int, start: int) -> bytes:
    return box("edts", full_box("elst", u32(1, ticks, start), u16(1, 0)))


def _media(scale: int, length: int, kind: str, header: bytes, tables: list[bytes]) -> bytes:
    name = {"vide": b"VideoHandler\x00", "soun": b"SoundHandler\x00"}[kind]
    here = box("dinf", full_box("dref", u32(1), full_box("url ", flags=1)))
    return box(
        "mdia",
        full_box("mdhd", u32(0, 0, scale, length), u16(_UNDETERMINED_LANGUAGE, 0)),
        full_box("hdlr", bytes(4), kind.encode(), bytes(12), name),
        box("minf", header, here, box("stbl", *tables)),
    )


def _where(placed: list[tuple[_Chunk, int]], is_large: bool) -> bytes:
    """The tables that say how many samples a chunk has and where it lies."""
    runs: list[tuple[int, int]] = []
    for number, (chunk, _) in enumerate(placed, 1):
        if not runs or runs[-1][1] != chunk.count:
            runs.append((number, chunk.count))
    counts = full_box("stsc", u32(len(runs)), *(u32(first, count, 1) for first, count in runs))
    offsets = [offset for _, offset in placed]
    return counts + (full_box("co64", counted_u64(offsets)) if is_large else full_box("stco", counted_u32(offsets)))


def _movie_ticks(seconds: Fraction) -> int:
    return round(seconds * MOVIE_TIMESCALE)


def _copy(source: BinaryIO, target: BinaryIO, count: int) -> None:
    while count:
        data = source.read(min(count, _COPY_BYTES))
        if not data:
            raise EOFError(f"{count} bytes of a track are missing")
        target.write(data)
        count -= len(data)

"""Recordings that were cut off, or whose tables lie about what is in them."""

import struct
import zlib

from tests.gpu.hostile.boxes import STBL, Box, box, built, edited, found, full, parsed, patched, replaced
from tests.gpu.hostile.seed import Seed

MANY = 2**31 - 1
_ENTRY = 16
"""Where the content of the first sample entry starts in `stsd`: version, count, size and name before it."""


def empty(seed: Seed) -> bytes:
    return b""


def one_byte(seed: Seed) -> bytes:
    return b"\x00"


def header_only(seed: Seed) -> bytes:
    return seed.mp4[:32]


def index_missing(seed: Seed) -> bytes:
    return built([one for one in parsed(seed.mp4) if one.kind != b"moov"])


def index_cut(seed: Seed) -> bytes:
    return seed.mp4[:-400]


def index_cut_in_the_sound(seed: Seed) -> bytes:
    """What is left would play as a silent video."""
    return seed.mp4[: seed.mp4.rindex(b"trak") + 40]


def pictures_cut(seed: Seed) -> bytes:
    return seed.fast[: len(seed.fast) * 2 // 3]


def pictures_of_noise(seed: Seed) -> bytes:
    return edited(seed.mp4, "mdat", lambda data: seed.chance.randbytes(len(data)))


def pictures_of_zeros(seed: Seed) -> bytes:
    return edited(seed.mp4, "mdat", lambda data: bytes(len(data)))


def noise_everywhere(seed: Seed) -> bytes:
    bent = bytearray(seed.mp4)
    for _ in range(400):
        bent[seed.chance.randrange(len(bent))] = seed.chance.randrange(256)
    return bytes(bent)


def no_frames(seed: Seed) -> bytes:
    mp4 = replaced(seed.mp4, STBL + "stsz", full(0, 0))
    for table in ("stts", "stsc", "stco"):
        mp4 = replaced(mp4, STBL + table, full(0))
    return mp4


def one_frame(seed: Seed) -> bytes:
    """Not broken, only short."""
    sizes = found(parsed(seed.mp4), STBL + "stsz").data
    mp4 = replaced(seed.mp4, STBL + "stsz", full(0, 1) + sizes[12:16])
    return replaced(mp4, STBL + "stts", full(1, 1, 512))


def sizes_claim_many(seed: Seed) -> bytes:
    return replaced(seed.mp4, STBL + "stsz", full(1, MANY))


def chunks_claim_many(seed: Seed) -> bytes:
    mp4 = replaced(seed.mp4, STBL + "stsz", full(1, MANY))
    return replaced(mp4, STBL + "stsc", full(1, 1, MANY, 1))


def index_of_89_million(seed: Seed) -> bytes:
    """As many entries as FFmpeg allocates at once: 2 GiB for a file of some kilobytes."""
    count = 2**32 // 48 - 1
    mp4 = replaced(seed.mp4, STBL + "stsz", full(1, count))
    mp4 = replaced(mp4, STBL + "stts", full(1, count, 512))
    return replaced(mp4, STBL + "stsc", full(1, 1, count, 1))


def index_of_ten_million(seed: Seed) -> bytes:
    count = 10_000_000
    mp4 = replaced(seed.mp4, STBL + "stsz", full(1, count))
    mp4 = replaced(mp4, STBL + "stts", full(1, count, 512))
    return replaced(mp4, STBL + "stsc", full(1, 1, count, 1))


def times_claim_many(seed: Seed) -> bytes:
    return replaced(seed.mp4, STBL + "stts", full(1, MANY, 512))


def times_stand_still(seed: Seed) -> bytes:
    return replaced(seed.mp4, STBL + "stts", full(1, 30, 0))


def times_leap(seed: Seed) -> bytes:
    return replaced(seed.mp4, STBL + "stts", full(1, 30, MANY))


def times_run_backwards(seed: Seed) -> bytes:
    return replaced(seed.mp4, STBL + "stts", full(1, 30, 2**32 - 512))


def tables_without_end(seed: Seed) -> bytes:
    mp4 = seed.mp4
    for table in ("stts", "stsc", "stco"):
        mp4 = replaced(mp4, STBL + table, full(2**32 - 1))
    return mp4


def offsets_beyond_the_end(seed: Seed) -> bytes:
    return edited(seed.mp4, STBL + "stco", lambda data: data[:8] + b"\xff\xff\xff\xf0" * (len(data) // 4 - 2))


def reordering_absurd(seed: Seed) -> bytes:
    tree = parsed(seed.mp4)
    table = full(2, 15, 2**31 - 1, 15, 2**31)
    found(tree, STBL.rstrip("/")).children.append(Box(b"ctts", table))
    return built(tree)


def duration_negative(seed: Seed) -> bytes:
    return edited(seed.mp4, "moov/mvhd", lambda data: patched(data, 16, "i", -5))


def duration_of_centuries(seed: Seed) -> bytes:
    mp4 = replaced(seed.mp4, "moov/mvhd", b"\x01" + bytes(19) + struct.pack(">IQ", 1, 2**62) + bytes(80))
    return edited(mp4, "moov/trak/mdia/mdhd", lambda data: patched(data, 16, "I", 2**32 - 2))


def ticks_of_nothing(seed: Seed) -> bytes:
    mp4 = edited(seed.mp4, "moov/mvhd", lambda data: patched(data, 12, "I", 0))
    return edited(mp4, "moov/trak/mdia/mdhd", lambda data: patched(data, 12, "I", 0))


def ticks_of_a_nanosecond(seed: Seed) -> bytes:
    return edited(seed.mp4, "moov/trak/mdia/mdhd", lambda data: patched(data, 12, "I", 2**32 - 1))


def edit_list_absurd(seed: Seed) -> bytes:
    return replaced(
        seed.mp4, "moov/trak/edts/elst", full(2**32 - 1) + struct.pack(">IiiIii", MANY, -MANY, -1, 0, -2, 0)
    )


def edit_list_repeats(seed: Seed) -> bytes:
    """A hundred thousand times the same second."""
    edits = struct.pack(">Iii", 1000, 0, 65536) * 100_000
    return replaced(seed.mp4, "moov/trak/edts/elst", full(100_000) + edits)


def matrix_of_zeros(seed: Seed) -> bytes:
    return edited(seed.mp4, "moov/trak/tkhd", lambda data: data[:40] + bytes(36) + data[76:])


def matrix_of_ones(seed: Seed) -> bytes:
    return edited(seed.mp4, "moov/trak/tkhd", lambda data: data[:40] + b"\xff" * 36 + data[76:])


def track_of_65535(seed: Seed) -> bytes:
    return edited(seed.mp4, "moov/trak/tkhd", lambda data: patched(data, 76, "II", 65535 << 16, 65535 << 16))


def entry_of_65535(seed: Seed) -> bytes:
    return edited(seed.mp4, STBL + "stsd", lambda data: patched(data, _ENTRY + 24, "HH", 65535, 65535))


def pixels_a_thousand_wide(seed: Seed) -> bytes:
    return edited(seed.mp4, STBL + "stsd", lambda data: _with_inner(data, b"pasp", struct.pack(">II", MANY, 1)))


def moov_size_zero(seed: Seed) -> bytes:
    return seed.mp4.replace(struct.pack(">I4s", len(_moov(seed)), b"moov"), struct.pack(">I4s", 0, b"moov"))


def moov_size_of_2_63(seed: Seed) -> bytes:
    inside = _moov(seed)[8:]
    return box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4sQ", 1, b"moov", 2**63 + 5) + inside


def boxes_overlap(seed: Seed) -> bytes:
    return seed.mp4.replace(b"mdia", b"mdia", 1).replace(_sized(seed, b"mdia"), struct.pack(">I4s", MANY, b"mdia"), 1)


def boxes_nest_10000_deep(seed: Seed) -> bytes:
    data = b""
    for _ in range(10_000):
        data = box(b"moov", data)
    return box(b"ftyp", b"isom\0\0\2\0isom") + data


def tracks_nest_in_themselves(seed: Seed) -> bytes:
    data = _moov(seed)[8:]
    for _ in range(200):
        data = box(b"trak", box(b"mdia", box(b"minf", data)))
    return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", data)


def index_packed_a_thousandfold(seed: Seed) -> bytes:
    """A `cmov`: a zlib stream that claims, and holds, half a gigabyte."""
    size = 512 << 20
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])
    inside = box(b"dcom", b"zlib") + box(b"cmvd", struct.pack(">I", size) + packed)
    return box(b"ftyp", b"qt  \0\0\2\0qt  ") + box(b"moov", box(b"cmov", inside))


def five_thousand_tracks(seed: Seed) -> bytes:
    tree = parsed(seed.mp4)
    track = found(tree, "moov/trak")
    found(tree, "moov").children.extend([track] * 5000)
    return built(tree)


def only_sound(seed: Seed) -> bytes:
    tree = parsed(seed.mp4)
    moov = found(tree, "moov")
    moov.children.remove(found(tree, "moov/trak"))
    return built(tree)


def only_data(seed: Seed) -> bytes:
    return only_sound(seed).replace(b"soun", b"meta").replace(b"mp4a", b"gpmd")


def encrypted(seed: Seed) -> bytes:
    scheme = box(b"frma", b"avc1") + box(b"schm", full(0x63656E63, 0x10000))
    track = box(b"tenc", full(0x00000108) + bytes(16))
    sinf = scheme + box(b"schi", track)
    changed = edited(seed.mp4, STBL + "stsd", lambda data: _with_inner(data, b"sinf", sinf))
    return changed.replace(b"avc1", b"encv")


def unknown_codec(seed: Seed) -> bytes:
    return edited(seed.mp4, STBL + "stsd", lambda data: data.replace(b"avc1", b"zzzz"))


def hevc_of_noise(seed: Seed) -> bytes:
    return pictures_of_noise(seed).replace(b"avc1", b"hvc1").replace(b"avcC", b"hvcC")


def av1_of_noise(seed: Seed) -> bytes:
    return pictures_of_noise(seed).replace(b"avc1", b"av01").replace(b"avcC", b"av1C")


def prores_of_h264(seed: Seed) -> bytes:
    return seed.mp4.replace(b"avc1", b"apch")


def bait_in_a_reference(seed: Seed) -> bytes:
    """A data reference, as QuickTime writes it, to a file beside the video."""
    path = seed.bait.encode()
    alias = bytes(10) + b"\x04disk" + bytes(135) + struct.pack(">hH", 18, len(path)) + path + struct.pack(">h", -1)
    references = full(2) + box(b"alis", bytes(4) + alias) + box(b"url ", bytes(4) + seed.lure.encode() + b"\0")
    return replaced(seed.mp4, "moov/trak/mdia/minf/dinf/dref", references)


def lure_in_a_reference_movie(seed: Seed) -> bytes:
    def reference(url: str) -> bytes:
        return box(b"rmda", box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(url) + 1) + url.encode() + b"\0"))

    movie = box(b"rmra", reference(f"file://{seed.bait}") + reference(seed.lure))
    return box(b"ftyp", b"qt  \0\0\2\0qt  ") + box(b"moov", movie)


def fragments_without_end(seed: Seed) -> bytes:
    """Thirty thousand empty fragments after the movie."""
    header = box(b"mfhd", full(1)) + box(b"traf", box(b"tfhd", full(1)) + box(b"trun", full(2**32 - 1)))
    return seed.mp4 + box(b"moof", header) * 30_000


def _moov(seed: Seed) -> bytes:
    return seed.mp4[seed.mp4.index(b"moov") - 4 :]


def _sized(seed: Seed, kind: bytes) -> bytes:
    at = seed.mp4.index(kind)
    return seed.mp4[at - 4 : at + 4]


def _with_inner(stsd: bytes, kind: bytes, data: bytes) -> bytes:
    """A sample entry with one more box at its end; one of that kind that is there stops counting."""
    entry = stsd[8:].replace(kind, b"free") + box(kind, data)
    return stsd[:8] + struct.pack(">I", len(entry)) + entry[4:]

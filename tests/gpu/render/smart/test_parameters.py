"""Parameter sets and their record: what is written can be read, and damage is an error, never anything else."""

import random
from fractions import Fraction

import pytest
from av.video.frame import PictureType, VideoFrame

from gpu.plan.geometry import Size
from gpu.render.smart.edges import EdgeEncoder, Encoded
from gpu.render.smart.nal import NalError, split_lengths, split_start_codes, with_lengths
from gpu.render.smart.parameters import ParameterError, ParameterSets, read_record, read_sps
from tests.gpu.render.smart.conftest import Sources
from tests.gpu.render.smart.sources import parameters_of

SEEDS = (20260729, 20260730)


@pytest.fixture
def record(sources: Sources) -> bytes:
    return parameters_of(sources.video("reordered").read_bytes())[1]


def test_a_record_is_written_as_ffmpeg_writes_it(record: bytes) -> None:
    assert read_record(record).record() == record


def test_the_edge_gets_the_next_free_number(record: bytes) -> None:
    sets = read_record(record)
    assert sets.free_number() == 1
    edge = EdgeEncoder(sets, Size(320, 180), Fraction(30)).sets
    both = sets.joined(edge)
    assert [one.number for one in both.sequences] == [0, 1]
    assert both.free_number() == 2
    assert read_record(both.record()) == both


def test_the_record_of_two_has_the_higher_level_and_the_common_constraints(record: bytes) -> None:
    sets = read_record(record)
    sps = sets.sps[0]
    other = bytes([sps[0], sps[1], 0x40, 52]) + sps[4:]
    joined = ParameterSets((sps, other), sets.pps).record()
    assert joined[1:4] == bytes([100, sps[2] & 0x40, 52])


def test_facts_of_a_known_set(record: bytes) -> None:
    facts = read_sps(read_record(record).sps[0])
    assert (facts.number, facts.profile, facts.reference_frames, facts.progressive) == (0, 100, 4, True)


def sps(profile: int, *bits: str) -> bytes:
    """A unit of level 3 from bits, with emulation prevention."""
    text = "".join(bits) + "1"
    text += "0" * (-len(text) % 8)
    payload = int("1" + text, 2).to_bytes(len(text) // 8 + 1)[1:]
    return b"\x67" + bytes([profile, 0, 30]) + _emulated(payload)


def _emulated(payload: bytes) -> bytes:
    """H.264, 7.4.1.1."""
    out = bytearray()
    for byte in payload:
        if out[-2:] == b"\x00\x00" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def ue(number: int) -> str:
    text = bin(number + 1)[2:]
    return "0" * (len(text) - 1) + text


def se(number: int) -> str:
    return ue(2 * number - 1 if number > 0 else -2 * number)


REST = (ue(5), "0", ue(19), ue(11), "1")
"""Five reference frames, no gaps, a size, progressive."""
ABSENT = "0"


@pytest.mark.parametrize(
    ("profile", "bits"),
    [
        (66, (ue(0), ue(2), *REST)),
        (66, (ue(2), *REST)),
        (66, (ue(1), "0", se(-3), se(4), ue(2), se(1), se(-700), *REST)),
        (100, (ue(0), ue(2), *REST)),
    ],
)
def test_fields_of_every_form_are_passed_over(profile: int, bits: tuple[str, ...]) -> None:
    lists = ("1", se(4), *[se(1)] * 15, "1", se(-8), *[ABSENT] * 4, "1", *[se(0)] * 64, ABSENT)
    high = (ue(1), ue(0), ue(0), "0", "1", *lists) if profile == 100 else ()
    facts = read_sps(sps(profile, ue(7), *high, ue(4), *bits))
    assert (facts.number, facts.profile, facts.level) == (7, profile, 30)
    assert (facts.reference_frames, facts.progressive) == (5, True)


def test_bytes_that_only_prevent_a_start_code_are_passed_over() -> None:
    number = (1 << 22) + 5
    unit = sps(66, ue(number), ue(4), ue(2), *REST)
    assert b"\x00\x00\x03" in unit
    facts = read_sps(unit)
    assert (facts.number, facts.reference_frames) == (number, 5)


def test_fields_mean_interlaced_pictures_too() -> None:
    assert not read_sps(sps(66, ue(0), ue(4), ue(2), *REST[:-1], "0")).progressive


def test_an_edge_has_keyframes_of_its_own(record: bytes) -> None:
    """Whatever pictures the source's encoder chose."""
    encoder = EdgeEncoder(read_record(record), Size(320, 180), Fraction(30))
    pictures: list[Encoded] = []
    for _ in range(5):
        frame = VideoFrame(320, 180, "yuv420p")
        frame.pict_type = PictureType.I
        pictures.extend(encoder.add(frame))
    pictures.extend(encoder.finish())
    assert [picture.is_idr for picture in pictures] == [True, False, False, False, False]


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_records_are_errors(record: bytes, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(3000):
        bent = bytearray(record[: chance.randrange(len(record) + 1)])
        for _ in range(chance.randrange(6)):
            if bent:
                bent[chance.randrange(len(bent))] = chance.randrange(256)
        try:
            sets = read_record(bytes(bent))
            sets.free_number()
        except ParameterError:
            continue
        assert sets.sps
        assert sets.pps


def test_every_prefix_of_a_record_is_an_error(record: bytes) -> None:
    lists = record[:-4]
    for length in range(len(lists)):
        with pytest.raises(ParameterError):
            read_record(lists[:length])


def test_all_numbers_taken_is_an_error(record: bytes) -> None:
    sets = read_record(record)
    pps = tuple(b"\x68" + int(ue(number) + "1" * (16 - len(ue(number))), 2).to_bytes(2) for number in range(32))
    with pytest.raises(ParameterError):
        ParameterSets(sets.sps, pps).free_number()


def test_units_survive_both_forms() -> None:
    units = [b"\x67abc", b"\x68d", b"\x65" + bytes([0, 0, 3]) * 5 + b"\x01"]
    assert [*split_lengths(with_lengths(units))] == units
    assert [*split_start_codes(b"\x00\x00\x00\x01".join([b"", *units]))] == units


@pytest.mark.parametrize(
    "data", [b"\x00", bytes(8), b"\x00\x00\x00\x02\x41", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x01\x60"]
)
def test_what_is_no_sequence_of_units_is_an_error(data: bytes) -> None:
    with pytest.raises(NalError):
        list(split_lengths(data))

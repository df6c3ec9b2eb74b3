"""Parameter sets of H.264 and the record that lists them in MP4 (`avcC`, ISO 14496-15, 5.3.3.1).

Read is only what decides about copying. The bytes are untrusted: whatever cannot be read raises ParameterError.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gpu.render.smart.nal import LENGTH_BYTES, PPS, SPS, nal_type, split_start_codes

BASELINE, MAIN, HIGH = 66, 77, 100
_WITH_CHROMA_FORMAT = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_MOST_SPS, _MOST_PPS = 31, 255
_LONGEST_CODE = 32


class ParameterError(ValueError):
    """The parameter sets cannot be read, or no free number is left."""


@dataclass(frozen=True)
class SequenceFacts:
    """Of one sequence parameter set (H.264, 7.3.2.1.1)."""

    number: int
    profile: int
    constraints: int
    level: int
    reference_frames: int
    progressive: bool


@dataclass(frozen=True)
class ParameterSets:
    """NAL units without length or start code."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def sequences(self) -> list[SequenceFacts]:
        return [read_sps(unit) for unit in self.sps]

    def joined(self, other: "ParameterSets") -> "ParameterSets":
        return ParameterSets((*self.sps, *other.sps), (*self.pps, *other.pps))

    def free_number(self) -> int:
        """A number that neither kind of set uses yet."""
        used = {one.number for one in self.sequences} | {_Bits(unit[1:]).unsigned() for unit in self.pps}
        for number in range(_MOST_SPS + 1):
            if number not in used:
                return number
        raise ParameterError("no number is free")

    def record(self) -> bytes:
        """The content of `avcC`: the highest level, and the constraints that all sequences keep."""
        if len(self.sps) > _MOST_SPS or len(self.pps) > _MOST_PPS:
            raise ParameterError(f"{len(self.sps)} and {len(self.pps)} sets are more than a record holds")
        sequences = self.sequences
        profile = max(one.profile for one in sequences)
        constraints = 0xFF
        for one in sequences:
            constraints &= one.constraints
        head = bytes([1, profile, constraints, max(one.level for one in sequences), 0xFC | LENGTH_BYTES - 1])
        listed = bytes([0xE0 | len(self.sps)]) + _listed(self.sps) + bytes([len(self.pps)]) + _listed(self.pps)
        # 4:2:0, 8 bit, no extensions: the fields that High adds.
        return head + listed + (bytes([0xFC | 1, 0xF8, 0xF8, 0]) if profile == HIGH else b"")


def read_record(record: bytes) -> ParameterSets:
    """Raises ParameterError, too for length fields of other than four bytes and for a record without sets."""
    try:
        if record[0] != 1 or record[4] & 3 != LENGTH_BYTES - 1:
            raise ParameterError("not a record with four-byte lengths")
        sps, position = _read_list(record, 6, record[5] & 0x1F)
        pps, _ = _read_list(record, position + 1, record[position])
    except IndexError as error:
        raise ParameterError("the record is cut off") from error
    if not sps or not pps or {nal_type(unit) for unit in sps} != {SPS} or {nal_type(unit) for unit in pps} != {PPS}:
        raise ParameterError("the record does not list parameter sets")
    return ParameterSets(sps, pps)


def from_encoder(header: bytes) -> ParameterSets:
    """From an encoder's global header with start codes."""
    units = [*split_start_codes(header)]
    return ParameterSets(
        tuple(unit for unit in units if nal_type(unit) == SPS), tuple(unit for unit in units if nal_type(unit) == PPS)
    )


def read_sps(unit: bytes) -> SequenceFacts:
    """Raises ParameterError."""
    if len(unit) < 5:
        raise ParameterError("a sequence parameter set is cut off")
    profile, constraints, level = unit[1:4]
    bits = _Bits(unit[4:])
    number = bits.unsigned()
    if profile in _WITH_CHROMA_FORMAT:
        _skip_chroma_format(bits)
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    reference_frames = bits.unsigned()
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    bits.unsigned()  # pic_width_in_mbs_minus1
    bits.unsigned()  # pic_height_in_map_units_minus1
    return SequenceFacts(number, profile, constraints, level, reference_frames, progressive=bool(bits.take(1)))


class _Bits:
    """Reads a unit's payload bit by bit, emulation prevention taken out (H.264, 7.3.1 and 9.1)."""

    def __init__(self, data: bytes) -> None:
        clean = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value, self._left = int.from_bytes(clean), 8 * len(clean)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ParameterError("a parameter set is cut off")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _LONGEST_CODE:
                raise ParameterError("a parameter set is damaged")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -code // 2


def _skip_chroma_format(bits: _Bits) -> None:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):
        for number in range(8 if chroma != 3 else 12):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if number < 6 else 64)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    scale = 8
    for _ in range(size):
        scale = (scale + bits.signed()) % 256
        if not scale:
            return


def _skip_picture_order(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise ParameterError("a sequence parameter set is damaged")
        for _ in range(count):
            bits.signed()


def _listed(units: Iterable[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(2) + unit for unit in units)


def _read_list(record: bytes, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(record[position:start])
        if start == position or position > len(record):
            raise ParameterError("the record is cut off")
        units.append(record[start:position])
    return tuple(units), position

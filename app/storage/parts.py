"""How a file is cut for a multipart upload: equal parts, as R2 demands (5 MiB..5 GiB, only the last may be shorter)."""

from typing import NamedTuple

MIB = 1024 * 1024
BASE_PART_BYTES = 8 * MIB
MAX_PARTS = 10_000
MAX_OBJECT_BYTES = 5 * 10**12


class PartPlan(NamedTuple):
    size_bytes: int
    part_size_bytes: int
    part_count: int

    def part_bytes(self, part_number: int) -> int:
        """The size of part 1..part_count; raises ValueError outside."""
        if not 1 <= part_number <= self.part_count:
            raise ValueError(f"part {part_number} is outside 1..{self.part_count}")
        rest = self.size_bytes - (part_number - 1) * self.part_size_bytes
        return min(rest, self.part_size_bytes)


def plan_parts(size_bytes: int) -> PartPlan:
    """8 MiB parts, larger by whole MiB once 10,000 of them do not hold the file."""
    if not 1 <= size_bytes <= MAX_OBJECT_BYTES:
        raise ValueError(f"a file of {size_bytes} bytes cannot be uploaded; 1..{MAX_OBJECT_BYTES} can")
    smallest = -(-size_bytes // MAX_PARTS)
    part_size = max(BASE_PART_BYTES, -(-smallest // MIB) * MIB)
    return PartPlan(size_bytes, part_size, -(-size_bytes // part_size))

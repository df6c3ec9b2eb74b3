"""Compares an upload with its declaration: what the client says it sent, what the store has, what was planned. Pure."""

from collections.abc import Sequence

from app.kit.errors import FieldError
from app.media.schemas import CompletedPart
from app.storage.parts import PartPlan
from app.storage.port import UploadedPart

MAX_REPORTED = 20


def mismatches(plan: PartPlan, sent: Sequence[CompletedPart], stored: Sequence[UploadedPart]) -> list[FieldError]:
    """Empty when the parts may be joined; at most 20, each with the field of the request that it concerns."""
    found: list[FieldError] = []
    numbers = [part.part_number for part in sent]
    if sorted(numbers) != list(range(1, plan.part_count + 1)):
        missing = sorted(set(range(1, plan.part_count + 1)) - set(numbers))
        found.append(FieldError("parts", f"must be parts 1..{plan.part_count}, each once; missing: {missing[:10]}"))
    by_number = {part.part_number: part for part in stored}
    for index, part in enumerate(sent):
        there = by_number.get(part.part_number)
        if part.part_number > plan.part_count:
            continue
        if there is None:
            found.append(FieldError(f"parts[{index}].part_number", f"part {part.part_number} is not in the store"))
        elif there.etag != part.etag.strip('"'):
            found.append(FieldError(f"parts[{index}].etag", f"part {part.part_number} has {there.etag!r} in the store"))
        elif there.size_bytes != plan.part_bytes(part.part_number):
            found.append(
                FieldError(
                    f"parts[{index}].part_number",
                    f"part {part.part_number} has {there.size_bytes} bytes, not {plan.part_bytes(part.part_number)}",
                )
            )
    return found[:MAX_REPORTED]

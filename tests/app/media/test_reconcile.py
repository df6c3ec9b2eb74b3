from app.media.reconcile import MAX_REPORTED, mismatches
from app.media.schemas import CompletedPart
from app.storage.parts import BASE_PART_BYTES, plan_parts
from app.storage.port import UploadedPart

PLAN = plan_parts(BASE_PART_BYTES * 2 + 7)
STORED = [UploadedPart(1, BASE_PART_BYTES, "a"), UploadedPart(2, BASE_PART_BYTES, "b"), UploadedPart(3, 7, "c")]
SENT = [CompletedPart(part_number=part.part_number, etag=part.etag) for part in STORED]


def test_what_agrees_in_all_three_may_be_joined() -> None:
    assert mismatches(PLAN, SENT, STORED) == []


def test_the_order_of_what_is_sent_does_not_matter_nor_do_quotes() -> None:
    quoted = [CompletedPart(part_number=part.part_number, etag=f'"{part.etag}"') for part in reversed(STORED)]
    assert mismatches(PLAN, quoted, STORED) == []


def test_each_difference_is_found() -> None:
    assert mismatches(PLAN, SENT[:2], STORED)[0].field == "parts"
    assert mismatches(PLAN, SENT, STORED[:2])[0].field == "parts[2].part_number"
    assert mismatches(PLAN, SENT, [*STORED[:2], UploadedPart(3, 8, "c")])[0].field == "parts[2].part_number"
    assert mismatches(PLAN, SENT, [UploadedPart(1, BASE_PART_BYTES, "z"), *STORED[1:]])[0].field == "parts[0].etag"


def test_the_report_is_bounded() -> None:
    plan = plan_parts(BASE_PART_BYTES * 1000)
    sent = [CompletedPart(part_number=number, etag="x") for number in range(1, 1001)]
    assert len(mismatches(plan, sent, [])) == MAX_REPORTED

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.parts import BASE_PART_BYTES, MAX_OBJECT_BYTES, MAX_PARTS, MIB, plan_parts

R2_SMALLEST = 5 * MIB
R2_LARGEST = 5 * 1024 * MIB


@given(st.integers(1, MAX_OBJECT_BYTES))
def test_a_plan_is_what_r2_accepts(size: int) -> None:
    plan = plan_parts(size)
    assert 1 <= plan.part_count <= MAX_PARTS
    assert R2_SMALLEST <= plan.part_size_bytes <= R2_LARGEST
    assert plan.part_size_bytes % MIB == 0
    last = plan.part_bytes(plan.part_count)
    assert 1 <= last <= plan.part_size_bytes
    assert (plan.part_count - 1) * plan.part_size_bytes + last == size
    if plan.part_count > 1:
        assert plan.part_bytes(1) == plan.part_size_bytes


@pytest.mark.parametrize(
    ("size", "part_size", "count"),
    [
        (1, BASE_PART_BYTES, 1),
        (BASE_PART_BYTES, BASE_PART_BYTES, 1),
        (BASE_PART_BYTES + 1, BASE_PART_BYTES, 2),
        (BASE_PART_BYTES * MAX_PARTS, BASE_PART_BYTES, MAX_PARTS),
        (BASE_PART_BYTES * MAX_PARTS + 1, 9 * MIB, 8889),
    ],
)
def test_parts_grow_when_ten_thousand_do_not_suffice(size: int, part_size: int, count: int) -> None:
    plan = plan_parts(size)
    assert (plan.part_size_bytes, plan.part_count) == (part_size, count)


@pytest.mark.parametrize("size", [0, -1, MAX_OBJECT_BYTES + 1])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        plan_parts(size)


@pytest.mark.parametrize("number", [0, 3])
def test_parts_beyond_the_plan_do_not_exist(number: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.2"):
        plan_parts(BASE_PART_BYTES + 1).part_bytes(number)

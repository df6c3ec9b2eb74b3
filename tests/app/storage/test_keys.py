import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.owner import Owner
from app.storage.keys import Keys

KEYS = Keys("staging")
OWNER = Owner("a", "default")


def test_everything_lives_under_its_environment() -> None:
    assert KEYS.media(OWNER, "med_1") == "staging/users/a/profiles/default/media/med_1"
    assert KEYS.render(OWNER, "0" * 64, "exp_1") == f"staging/users/a/profiles/default/renders/{'0' * 64}/exp_1.mp4"
    assert KEYS.pending_job(OWNER, "export", "exp_1") == "staging/jobs/pending/a/default/export/exp_1"
    assert KEYS.startup_probe("n").startswith("staging/")


def test_newer_records_sort_first_and_numbers_come_back() -> None:
    keys = [KEYS.log_record(OWNER, 0, seq) for seq in (1, 2, 10, 999, 10**15)]
    assert keys[0] == "staging/users/a/profiles/default/library/0/log/9999999999999999"
    assert sorted(keys, reverse=True) == keys
    assert [KEYS.log_seq(key) for key in keys] == [1, 2, 10, 999, 10**15]


def test_generations_of_one_library_are_apart() -> None:
    assert KEYS.log_prefix(OWNER, 3) == "staging/users/a/profiles/default/library/3/log/"
    assert KEYS.log_record(OWNER, 3, 1).startswith(KEYS.library_prefix(OWNER))


def test_a_profile_is_read_from_what_lies_below_it() -> None:
    assert KEYS.profile_id(KEYS.media(OWNER, "med_1")) == "default"
    assert KEYS.media(OWNER, "med_1").startswith(KEYS.user_prefix("a"))
    for foreign in ("production/users/a/profiles/default/media/med_1", "staging/jobs/pending/a/default/export/e", "x"):
        with pytest.raises(ValueError, match=r"profile|unpack"):
            KEYS.profile_id(foreign)


@pytest.mark.parametrize("seq", [0, -1, 10**16])
def test_impossible_record_numbers_are_refused(seq: int) -> None:
    with pytest.raises(ValueError, match="record number"):
        KEYS.log_record(OWNER, 0, seq)


@pytest.mark.parametrize("evil", ["../b", "a/b", "", ".", "..", "a\x00", "a%2e"])
def test_no_part_can_leave_its_place(evil: str) -> None:
    with pytest.raises(ValueError, match="id"):
        KEYS.media(Owner(evil, "default"), "med_1")
    with pytest.raises(ValueError, match="id"):
        KEYS.log_prefix(Owner("a", evil), 0)
    with pytest.raises(ValueError, match="key"):
        KEYS.media(OWNER, evil)
    with pytest.raises(ValueError, match="key"):
        KEYS.pending_job(OWNER, "export", evil)
    with pytest.raises(ValueError, match="key"):
        Keys(evil)


@given(st.text())
def test_a_key_has_as_many_parts_as_its_pattern_whatever_the_id(media_id: str) -> None:
    try:
        key = KEYS.media(OWNER, media_id)
    except ValueError:
        return
    assert len(key.split("/")) == 7


def test_pending_keys_come_apart_again() -> None:
    key = KEYS.pending_job(OWNER, "export", "exp_1")
    assert KEYS.parse_pending_job(key) == (OWNER, "export", "exp_1")
    with pytest.raises(ValueError, match="unpack"):
        KEYS.parse_pending_job("staging/jobs/pending/a/b")


def test_the_name_of_a_purge_job_fits_into_a_pending_key() -> None:
    name = f"{'f' * 64}-exp_{'0' * 20}"
    assert KEYS.parse_pending_job(KEYS.pending_job(OWNER, "purge-render", name)) == (OWNER, "purge-render", name)
    with pytest.raises(ValueError, match="key"):
        KEYS.pending_job(OWNER, "purge-render", "f" * 129)

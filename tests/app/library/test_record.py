import hashlib
import json

import pytest

from app.kit.owner import Owner
from app.library import frames
from app.library.errors import NewerSchemaError, UnreadableLibraryError
from app.library.head import unpack
from app.library.image import open_copy
from app.library.record import MAX_HEADER_BYTES, Header, Place, encode, parse, parse_header

OWNER = Owner("a", "default")
PLACE = Place(OWNER, 0, 7)
HEADER = Header(
    kind="full",
    user_id="a",
    profile_id="default",
    generation=0,
    seq=7,
    prev_sha256="ab" * 32,
    nonce="cd" * 16,
    writers=("tab-1",),
    committed_at="2026-01-01T00:00:00.000Z",
    schema_version=2,
    image_root="ef" * 32,
    image_bytes=8192,
    base_seq=5,
    base_bytes=4,
    patch_bytes=(2, 3),
)
BODY = encode(HEADER, b"base", (b"p1", b"p_2"))


def test_a_record_brings_its_facts_and_frames_back() -> None:
    record = parse(BODY, PLACE)
    assert record.header == HEADER
    assert (record.base, record.patches) == (b"base", (b"p1", b"p_2"))


def test_the_header_is_read_from_the_beginning_alone() -> None:
    long = encode(HEADER.model_copy(update={"base_bytes": 10**6}), bytes(10**6), (b"p1", b"p_2"))
    assert parse_header(long[:MAX_HEADER_BYTES], PLACE).base_bytes == 10**6


@pytest.mark.parametrize("length", [0, 3, 7, 10, 200, len(BODY) - 1])
def test_a_cut_record_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableLibraryError, match="record 7 of library a/default"):
        parse(BODY[:length], PLACE)


def test_a_longer_record_is_unreadable() -> None:
    with pytest.raises(UnreadableLibraryError):
        parse(BODY + b"x", PLACE)


@pytest.mark.parametrize(
    "place",
    [Place(Owner("b", "default"), 0, 7), Place(Owner("a", "other"), 0, 7), Place(OWNER, 1, 7), Place(OWNER, 0, 8)],
)
def test_a_record_of_another_library_generation_or_number_is_refused(place: Place) -> None:
    with pytest.raises(UnreadableLibraryError, match="belongs elsewhere"):
        parse(BODY, place)


def test_another_format_is_another_release_and_not_damage() -> None:
    with pytest.raises(NewerSchemaError, match="RBLIB3"):
        parse(BODY.replace(b"RBLIB2", b"RBLIB3"), PLACE)


@pytest.mark.parametrize(
    "lie",
    [
        {"kind": "delta"},
        {"kind": "tombstone"},
        {"base_bytes": 0, "patch_bytes": (6, 3)},
        {"base_bytes": 11, "patch_bytes": (-2, 0)},
        {"patch_bytes": (1,) * 64},
        {"image_bytes": 10**12},
    ],
)
def test_frames_that_do_not_fit_their_kind_or_sizes_are_refused(lie: dict[str, object]) -> None:
    with pytest.raises(UnreadableLibraryError):
        parse(encode(HEADER.model_copy(update=lie), b"base", (b"p1", b"p_2")), PLACE)


def test_a_record_of_the_first_form_is_read_like_any_full_one() -> None:
    """As commit 7478f9b wrote it."""
    image = open_copy(b"").serialize()
    facts = {
        "format": 1,
        "kind": "full",
        "user_id": "a",
        "profile_id": "default",
        "generation": 0,
        "seq": 7,
        "prev_sha256": "ab" * 32,
        "nonce": "cd" * 16,
        "writer": "tab-1",
        "schema_version": 1,
        "image_sha256": hashlib.sha256(image).hexdigest(),
        "image_bytes": len(image),
        "committed_at": "2026-01-01T00:00:00.000Z",
    }
    text = json.dumps(facts, separators=(",", ":")).encode()
    body = b"RBLIB1\n" + len(text).to_bytes(4, "big") + text + frames.compress(image)
    record = parse(body, PLACE)
    assert (record.header.writers, record.header.nonce, record.header.prev_sha256) == (("tab-1",), "cd" * 16, "ab" * 32)
    assert unpack(record, PLACE, None, None).image == image
    assert parse_header(body[:MAX_HEADER_BYTES], PLACE).kind == "full"
    with pytest.raises(UnreadableLibraryError):
        parse(body.replace(hashlib.sha256(image).hexdigest().encode(), b"0" * 64), PLACE)

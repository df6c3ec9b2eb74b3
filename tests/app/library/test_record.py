import json

import pytest
import zstandard

from app.kit.owner import Owner
from app.library.errors import UnreadableLibraryError
from app.library.record import Draft, decode, encode

OWNER = Owner("a", "default")
DRAFT = Draft(OWNER, 7, "ab" * 32, "session-1", 1, "2026-01-01T00:00:00.000Z")
IMAGE = bytes(range(256)) * 100


def test_a_record_brings_its_image_and_facts_back() -> None:
    body = encode(DRAFT, IMAGE)
    record = decode(body, OWNER, 7)
    assert record.image == IMAGE
    assert (record.header.seq, record.header.writer, record.header.prev_sha256) == (7, "session-1", "ab" * 32)
    assert len(body) < len(IMAGE)


def test_each_encoding_has_its_own_nonce() -> None:
    assert encode(DRAFT, IMAGE) != encode(DRAFT, IMAGE)


def test_no_flipped_bit_is_read_as_data() -> None:
    body = encode(DRAFT, IMAGE)
    for position in range(0, len(body), 7):
        damaged = bytearray(body)
        damaged[position] ^= 0x40
        try:
            record = decode(bytes(damaged), OWNER, 7)
        except UnreadableLibraryError:
            continue
        assert record.image == IMAGE, f"byte {position}"


@pytest.mark.parametrize("length", [0, 3, 7, 10, 200])
def test_a_cut_record_is_unreadable(length: int) -> None:
    with pytest.raises(UnreadableLibraryError, match="record 7 of library a/default"):
        decode(encode(DRAFT, IMAGE)[:length], OWNER, 7)


def test_a_record_of_another_library_or_number_is_refused() -> None:
    body = encode(DRAFT, IMAGE)
    for owner, seq in ((Owner("b", "default"), 7), (Owner("a", "other"), 7), (OWNER, 8)):
        with pytest.raises(UnreadableLibraryError, match="belongs elsewhere"):
            decode(body, owner, seq)


def test_a_bomb_is_not_unpacked() -> None:
    body = encode(DRAFT, b"\0" * 100)
    start = body.index(b"{")
    head = json.loads(body[start : body.index(b"}") + 1])
    head["image_bytes"] = 10**12
    bomb = json.dumps(head).encode()
    forged = body[:start][:-4] + len(bomb).to_bytes(4, "big") + bomb + zstandard.compress(b"\0" * 1000)
    with pytest.raises(UnreadableLibraryError):
        decode(forged, OWNER, 7)

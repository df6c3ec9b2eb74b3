from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.localcloud.cloudflare.store import Kind, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    store.open()
    yield store
    store.close()


def test_a_document_is_found_by_kind_and_key(store: Store) -> None:
    store.put(Kind.TOKEN, "one", {"n": 1})
    assert store.get(Kind.TOKEN, "one") == {"n": 1}
    assert store.has(Kind.TOKEN, "one")
    assert store.get(Kind.DOMAIN, "one") is None
    assert not store.has(Kind.DOMAIN, "one")


def test_documents_keep_the_order_of_their_first_writing(store: Store) -> None:
    for key in ("b", "a", "c"):
        store.put(Kind.TOKEN, key, {"key": key})
    store.put(Kind.TOKEN, "b", {"key": "b again"})
    assert [token["key"] for token in store.all(Kind.TOKEN)] == ["b again", "a", "c"]


def test_documents_are_listed_by_parent(store: Store) -> None:
    store.put(Kind.DEPLOYMENT, "1", {"n": 1}, parent="x")
    store.put(Kind.DEPLOYMENT, "2", {"n": 2}, parent="y")
    assert store.all(Kind.DEPLOYMENT, parent="y") == [{"n": 2}]
    assert len(store.all(Kind.DEPLOYMENT)) == 2


def test_deleting_tells_whether_there_was_one(store: Store) -> None:
    store.put(Kind.TOKEN, "one", {})
    assert store.delete(Kind.TOKEN, "one")
    assert not store.delete(Kind.TOKEN, "one")


def test_writes_together_happen_all_or_not_at_all(store: Store) -> None:
    def interrupted() -> None:
        with store.together():
            store.put(Kind.TOKEN, "one", {})
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        interrupted()
    assert store.all(Kind.TOKEN) == []
    with store.together():
        store.put(Kind.TOKEN, "one", {})
    assert store.all(Kind.TOKEN) == [{}]


def test_documents_survive_reopening(store: Store, tmp_path: Path) -> None:
    store.put(Kind.TOKEN, "one", {"n": 1})
    store.close()
    again = Store(tmp_path)
    again.open()
    assert again.get(Kind.TOKEN, "one") == {"n": 1}
    again.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is closed; start the stand-in first"):
        Store(tmp_path).get(Kind.TOKEN, "one")

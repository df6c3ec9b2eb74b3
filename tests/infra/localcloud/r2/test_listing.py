"""ListObjectsV2 against a model: every key once, in UTF-8 order, folded at the delimiter, on pages of any size."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.localcloud.r2.store.database import Database
from infra.localcloud.r2.store.listing import Cursor, Page, Query, list_page
from infra.localcloud.r2.store.objects import NewObject, ObjectStore
from tests.infra.localcloud.r2.running import Account
from tests.infra.localcloud.r2.signing import code_of, send, signed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ASCII = ["a", "a/", "a/1", "a/2", "a/b/1", "a/b/2", "a0", "aa/1", "b//1", "b//2", "b/1", "c d&<e>"]
_BEYOND = ["z/é", "z/日", "z/\ud7ff/x", "z/\ue000", "z/\U0010ffff", "z/\U0010ffff/", "\U0010ffff/1", "\U0010ffff/2"]
KEYS = sorted([*_ASCII, *_BEYOND], key=str.encode)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Holds KEYS in `bucket`, and one key in a bucket before and after it."""
    database = Database(tmp_path / "metadata.sqlite", fsync=False)
    objects = ObjectStore(database)
    for bucket, key in [("buckes", "a"), ("buckeu", "a"), *(("bucket", key) for key in KEYS)]:
        objects.put(bucket, key, NewObject([], "etag", {}, 0.0), None)
    yield database
    database.close()


def folded(prefix: str, delimiter: str, after: str) -> list[str]:
    """The model: keys and common prefixes in one order."""
    entries: list[str] = []
    for key in KEYS:
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if end < 0 else key[: end + len(delimiter)]
        if entry not in entries:
            entries.append(entry)
    return entries


def pages(database: Database, query: Query) -> Iterator[Page]:
    while True:
        page = list_page(database, query)
        yield page
        if not page.truncated:
            return
        assert page.last
        query = replace(query, after=page.last)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "b/", "z/", "none"])
@pytest.mark.parametrize("delimiter", ["", "/", "//"])
@pytest.mark.parametrize("after", ["", "a/1", "zz"])
def test_pages_of_any_size_give_every_entry_once(database: Database, prefix: str, delimiter: str, after: str) -> None:
    for size in (1, 2, 3, 1000):
        query = Query("bucket", prefix, delimiter, Cursor(after), size)
        listed = [
            sorted([entry.key for entry in page.objects] + page.prefixes, key=str.encode)
            for page in pages(database, query)
        ]
        assert [entry for page in listed for entry in page] == folded(prefix, delimiter, after), size
        assert all(len(page) == size for page in listed[:-1])


def test_the_client_pages_through_a_folder(s3: "S3Client", account: Account) -> None:
    for key in ("a/1", "a/2", "b c/ü", "b", "c"):
        s3.put_object(Bucket=account.bucket, Key=key)
    paginator = s3.get_paginator("list_objects_v2")
    listed = []
    for page in paginator.paginate(Bucket=account.bucket, Delimiter="/", PaginationConfig={"PageSize": 2}):
        entries = [entry["Key"] for entry in page.get("Contents", [])]
        entries += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        assert page["KeyCount"] == len(entries)
        listed.append(entries)
    assert listed == [["b", "a/"], ["c", "b c/"]]
    after = s3.list_objects_v2(Bucket=account.bucket, StartAfter="b")["Contents"]
    assert [entry["Key"] for entry in after] == ["b c/ü", "c"]


def test_an_entry_has_size_etag_and_time(s3: "S3Client", account: Account) -> None:
    put = s3.put_object(Bucket=account.bucket, Key="clip", Body=b"12345")
    (entry,) = s3.list_objects_v2(Bucket=account.bucket)["Contents"]
    assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (5, put["ETag"], "STANDARD")
    assert (
        entry["LastModified"].replace(microsecond=0)
        == s3.head_object(Bucket=account.bucket, Key="clip")["LastModified"]
    )


def test_at_most_a_thousand_entries_come_on_a_page(account: Account) -> None:
    response = send(signed(account, "GET", query={"list-type": "2", "max-keys": "5000"}))
    assert "<MaxKeys>5000</MaxKeys>" in response.text


def test_a_page_of_no_entries_says_whether_there_are_any(account: Account) -> None:
    query = {"list-type": "2", "max-keys": "0"}
    assert "<IsTruncated>false</IsTruncated>" in send(signed(account, "GET", query=query)).text
    send(signed(account, "PUT", "clip", body=b"x"))
    assert "<IsTruncated>true</IsTruncated>" in send(signed(account, "GET", query=query)).text


@pytest.mark.parametrize(
    ("name", "value", "status", "code"),
    [
        ("max-keys", "-1", 400, "InvalidMaxKeys"),
        ("max-keys", "many", 400, "InvalidMaxKeys"),
        ("continuation-token", "!", 400, "InvalidArgument"),
        ("continuation-token", "eHg=", 400, "InvalidArgument"),
        ("encoding-type", "base64", 501, "NotImplemented"),
        ("fetch-owner", "true", 501, "NotImplemented"),
    ],
)
def test_a_wrong_parameter_is_refused(account: Account, name: str, value: str, status: int, code: str) -> None:
    response = send(signed(account, "GET", query={"list-type": "2", name: value}))
    assert (response.status_code, code_of(response)) == (status, code)


def test_control_characters_survive_an_answer_that_is_not_encoded(account: Account) -> None:
    send(signed(account, "PUT", "a\tb", body=b"x"))
    assert "<Key>a&#x9;b</Key>" in send(signed(account, "GET", query={"list-type": "2"})).text

"""Buckets, rules and keys as the Cloudflare stand-in manages them."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.localcloud.r2 import (
    R2,
    BucketControl,
    BucketExistsError,
    BucketNotEmptyError,
    BucketNotFoundError,
    InvalidBucketNameError,
)
from infra.localcloud.r2.calls.call import WriteLimit
from infra.localcloud.r2.errors import TooManyRequests
from infra.localcloud.r2.gateway import ServedCall
from tests.infra.localcloud.r2.running import Account, SettableClock, open_account, running
from tests.infra.localcloud.r2.signing import code_of, send, signed

DAY = 24 * 3600


@pytest.fixture
def control(server: R2) -> BucketControl:
    return server.control


def test_a_bucket_is_as_it_was_made(control: BucketControl) -> None:
    made = control.create_bucket("made-here", "weur", "InfrequentAccess")
    assert control.bucket("made-here") == made
    assert (made.name, made.location, made.storage_class) == ("made-here", "weur", "InfrequentAccess")
    assert made in control.buckets()
    control.delete_bucket("made-here")
    assert not control.has_bucket("made-here")
    assert made not in control.buckets()


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Upper", "under_score", "-a-b", "a-b-", "a.b", ""])
def test_a_bad_name_is_refused(control: BucketControl, name: str) -> None:
    with pytest.raises(InvalidBucketNameError, match="must be 3 to 63 of"):
        control.create_bucket(name)


def test_a_name_is_taken_once(control: BucketControl, account: Account) -> None:
    with pytest.raises(BucketExistsError, match=f"'{account.bucket}' exists already"):
        control.create_bucket(account.bucket)


def test_a_bucket_with_objects_is_not_deleted(control: BucketControl, account: Account) -> None:
    send(signed(account, "PUT", "clip", body=b"x"))
    with pytest.raises(BucketNotEmptyError, match="still holds objects"):
        control.delete_bucket(account.bucket)
    assert send(signed(account, "GET", "clip")).content == b"x"


def test_a_missing_bucket_is_named(control: BucketControl) -> None:
    calls: list[Callable[[], object]] = [
        lambda: control.bucket("missing"),
        lambda: control.delete_bucket("missing"),
        lambda: control.cors("missing"),
        lambda: control.set_cors("missing", []),
        lambda: control.lifecycle("missing"),
        lambda: control.set_lifecycle("missing", []),
    ]
    for call in calls:
        with pytest.raises(BucketNotFoundError, match="'missing' does not exist"):
            call()


def test_a_permission_is_read_or_write(control: BucketControl, account: Account) -> None:
    with pytest.raises(ValueError, match="'admin' is neither"):
        control.grant("key", "secret", account.bucket, "admin")  # type: ignore[arg-type]


def test_a_new_bucket_aborts_uploads_after_a_week(control: BucketControl, account: Account) -> None:
    (rule,) = control.lifecycle(account.bucket)
    assert rule["abortMultipartUploadsTransition"]["condition"] == {"type": "Age", "maxAge": 7 * DAY}


def rule(prefix: str, age: int, *, enabled: bool = True) -> dict[str, object]:
    transition = {"condition": {"type": "Age", "maxAge": age}}
    conditions = {"prefix": prefix}
    return {"id": prefix, "enabled": enabled, "conditions": conditions, "abortMultipartUploadsTransition": transition}


def test_old_uploads_are_aborted_at_start_as_the_rules_say(tmp_path: Path) -> None:
    with running(R2(tmp_path)) as r2:
        account = open_account(r2, "bucket")
        r2.control.set_lifecycle("bucket", [rule("short/", DAY), rule("long/", 9 * DAY), rule("", 1, enabled=False)])
        for key in ("short/a", "long/a", "other/a"):
            account.s3().create_multipart_upload(Bucket="bucket", Key=key)
    clock = SettableClock(time.time)
    clock.ahead = 2 * DAY
    with running(R2(tmp_path, clock=clock)) as r2:
        clock.ahead = 0
        s3 = Account(r2.url, "bucket", account.access_key_id).s3()
        left = [upload["Key"] for upload in s3.list_multipart_uploads(Bucket="bucket")["Uploads"]]
    assert left == ["long/a", "other/a"]


def test_a_key_may_be_limited_to_few_writes_a_second(tmp_path: Path) -> None:
    with running(R2(tmp_path, key_writes_per_second=0.001)) as r2:
        account = open_account(r2, "bucket")
        assert send(signed(account, "PUT", "hot", body=b"1")).status_code == 200
        second = send(signed(account, "PUT", "hot", body=b"2"))
        assert (second.status_code, code_of(second)) == (429, "TooManyRequests")
        assert send(signed(account, "PUT", "cold", body=b"3")).status_code == 200
        assert send(signed(account, "GET", "hot")).content == b"1"


def test_a_limited_key_may_be_written_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("infra.localcloud.r2.calls.call.time", SimpleNamespace(monotonic=lambda: now))
    limit = WriteLimit(per_second=50)
    limit.admit("bucket", "key")
    for now in (1000.0, 1000.019):  # noqa: B007 -- the clock reads it
        with pytest.raises(TooManyRequests):
            limit.admit("bucket", "key")
    now = 1000.021
    limit.admit("bucket", "key")


def test_served_calls_are_recorded(server: R2, account: Account) -> None:
    send(signed(account, "PUT", "clip", body=b"x"))
    send(signed(account, "GET", "missing"))
    assert list(server.served)[-2:] == [
        ServedCall("PutObject", account.bucket, "clip", 200),
        ServedCall("GetObject", account.bucket, "missing", 404),
    ]

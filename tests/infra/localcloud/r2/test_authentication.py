"""Who gets in: signatures in headers and in presigned URLs, times, and permissions."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.localcloud.r2 import R2
from tests.infra.localcloud.r2.running import Account, SettableClock, open_account, running
from tests.infra.localcloud.r2.signing import code_of, http, message_of, presigned, send, signed, url_of


@pytest.fixture(scope="module")
def clock() -> SettableClock:
    return SettableClock(time.time)


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory, clock: SettableClock) -> Iterator[Account]:
    """An account of a server whose clock a test may move; it holds the object `clip`."""
    with running(R2(tmp_path_factory.mktemp("timed"), clock=clock)) as r2:
        account = open_account(r2, "timed")
        assert send(signed(account, "PUT", "clip", body=b"bytes")).status_code == 200
        yield account


@pytest.fixture(autouse=True)
def clock_is_right(clock: SettableClock) -> None:
    clock.ahead, clock.stopped_at = 0, None


def signing_time(url: str) -> float:
    """Unix time, in whole seconds."""
    said = httpx.URL(url).params["X-Amz-Date"]
    return datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def assert_refused(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, code_of(response)) == (status, code), response.text


def test_a_presigned_url_reads_and_writes_an_object(account: Account) -> None:
    assert http.put(presigned(account, "PUT", "a b/ü+&=.mp4"), content=b"film").status_code == 200
    assert http.get(presigned(account, "GET", "a b/ü+&=.mp4")).content == b"film"
    assert http.head(presigned(account, "HEAD", "a b/ü+&=.mp4")).headers["content-length"] == "4"
    assert http.delete(presigned(account, "DELETE", "a b/ü+&=.mp4")).status_code == 204


def test_a_url_that_a_client_encodes_differently_is_still_valid(account: Account) -> None:
    url = presigned(account, "PUT", "a/b~c", query={"x-id": "Put Object"})
    assert http.put(url.replace("%20", "+").replace("~", "%7E"), content=b"").status_code == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [("/clip?", "/other?"), ("X-Amz-Expires=60", "X-Amz-Expires=600"), ("?", "?response-content-type=text%2Fhtml&")],
)
def test_a_changed_presigned_url_is_refused(timed: Account, old: str, new: str) -> None:
    url = presigned(timed, "GET", "clip")
    assert old in url
    assert_refused(http.get(url.replace(old, new, 1)), 403, "SignatureDoesNotMatch")


def test_a_presigned_url_is_for_one_method(timed: Account) -> None:
    assert_refused(http.put(presigned(timed, "GET", "clip"), content=b"x"), 403, "SignatureDoesNotMatch")


def test_a_signed_header_of_a_presigned_url_must_be_sent_unchanged(account: Account) -> None:
    url = presigned(account, "PUT", "clip", headers={"content-type": "video/mp4"})
    assert http.put(url, content=b"x", headers={"content-type": "video/mp4"}).status_code == 200
    assert_refused(http.put(url, content=b"x", headers={"content-type": "text/html"}), 403, "SignatureDoesNotMatch")
    assert_refused(http.put(url, content=b"x"), 403, "SignatureDoesNotMatch")


def test_an_amz_header_cannot_be_added_to_a_presigned_url(account: Account) -> None:
    url = presigned(account, "PUT", "copy")
    response = http.put(url, headers={"x-amz-copy-source": f"/{account.bucket}/secret"})
    assert_refused(response, 403, "AccessDenied")
    assert "x-amz-copy-source" in message_of(response)


def test_a_presigned_url_ends_after_its_time(timed: Account, clock: SettableClock) -> None:
    url = presigned(timed, "GET", "clip", expires=60)
    clock.stopped_at = signing_time(url) + 60
    assert http.get(url).status_code == 200
    clock.stopped_at += 1
    assert_refused(http.get(url), 403, "ExpiredRequest")


def test_a_presigned_url_from_the_future_is_refused(timed: Account, clock: SettableClock) -> None:
    clock.ahead = -3600
    assert_refused(http.get(presigned(timed, "GET", "clip", expires=7200)), 403, "AccessDenied")


@pytest.mark.parametrize(("expires", "status"), [(0, 400), (1, 200), (604_800, 200), (604_801, 400)])
def test_a_presigned_url_is_valid_for_one_second_to_seven_days(
    timed: Account, clock: SettableClock, expires: int, status: int
) -> None:
    url = presigned(timed, "GET", "clip", expires=expires)
    clock.stopped_at = signing_time(url)
    assert http.get(url).status_code == status


def test_a_presigned_post_is_not_implemented(account: Account) -> None:
    response = http.post(presigned(account, "POST", "clip", query={"uploads": ""}))
    assert_refused(response, 501, "NotImplemented")


@pytest.mark.parametrize("missing", ["X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"])
def test_a_presigned_url_needs_all_its_parameters(timed: Account, missing: str) -> None:
    url = httpx.URL(presigned(timed, "GET", "clip"))
    response = http.get(url.copy_remove_param(missing))
    assert_refused(response, 400, "InvalidArgument")
    assert missing in message_of(response)


def test_a_search_parameter_given_twice_is_refused(timed: Account) -> None:
    response = http.get(presigned(timed, "GET", "clip") + "&X-Amz-Expires=604800")
    assert_refused(response, 400, "InvalidArgument")


def test_a_request_without_a_signature_is_refused(timed: Account) -> None:
    assert_refused(http.get(url_of(timed, "clip")), 400, "InvalidArgument")


def test_an_unknown_key_is_unauthorized(timed: Account) -> None:
    stranger = Account(timed.url, timed.bucket, "nobody")
    assert_refused(send(signed(stranger, "GET", "clip")), 401, "Unauthorized")
    assert_refused(http.get(presigned(stranger, "GET", "clip")), 401, "Unauthorized")


def test_a_wrong_secret_is_refused(timed: Account) -> None:
    thief = Account(timed.url, timed.bucket, timed.access_key_id, secret="guess")
    assert_refused(send(signed(thief, "GET", "clip")), 403, "SignatureDoesNotMatch")
    assert_refused(http.get(presigned(thief, "GET", "clip")), 403, "SignatureDoesNotMatch")


def test_a_changed_signed_request_is_refused(timed: Account) -> None:
    request = signed(timed, "GET", "clip")
    request.url = request.url.copy_with(path=f"/{timed.bucket}/other")
    assert_refused(send(request), 403, "SignatureDoesNotMatch")


def test_an_unsigned_amz_header_is_refused(timed: Account) -> None:
    request = signed(timed, "PUT", "clip", body=b"x")
    request.headers["x-amz-meta-owner"] = "me"
    assert_refused(send(request), 403, "AccessDenied")


@pytest.mark.parametrize("ahead", [-1000, 1000])
def test_a_clock_that_is_off_by_more_than_a_quarter_hour_is_refused(
    timed: Account, clock: SettableClock, ahead: int
) -> None:
    clock.ahead = ahead
    assert_refused(send(signed(timed, "GET", "clip")), 403, "RequestTimeTooSkewed")


def test_the_signed_date_must_be_that_of_the_request(timed: Account) -> None:
    request = signed(timed, "GET", "clip")
    day = request.headers["x-amz-date"][:8]
    request.headers["authorization"] = request.headers["authorization"].replace(f"/{day}/", "/20200101/")
    assert_refused(send(request), 400, "InvalidArgument")


@pytest.mark.parametrize(("region", "status"), [("auto", 200), ("us-east-1", 200), ("eu-west-1", 400)])
def test_only_r2s_regions_are_valid(timed: Account, region: str, status: int) -> None:
    assert send(signed(timed, "GET", "clip", region=region)).status_code == status


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Basic eDp5", "InvalidRequest"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "InvalidArgument"),
    ],
)
def test_an_authorization_that_cannot_be_read_is_refused(timed: Account, authorization: str, code: str) -> None:
    request = signed(timed, "GET", "clip")
    request.headers["authorization"] = authorization
    assert_refused(send(request), 400, code)


def test_a_body_that_does_not_match_its_signed_hash_is_refused_and_not_stored(account: Account) -> None:
    request = signed(account, "PUT", "clip", body=b"what I signed")
    forged = httpx.Request("PUT", request.url, headers=request.headers, content=b"what I sent!!")
    assert_refused(send(forged), 400, "XAmzContentSHA256Mismatch")
    assert_refused(send(signed(account, "GET", "clip")), 404, "NoSuchKey")


def test_a_read_key_may_read_but_not_write(server: R2, account: Account) -> None:
    assert send(signed(account, "PUT", "clip", body=b"x")).status_code == 200
    reader = open_account(server, account.bucket, "read")
    assert send(signed(reader, "GET", "clip")).content == b"x"
    assert send(signed(reader, "GET", query={"list-type": "2"})).status_code == 200
    assert_refused(send(signed(reader, "PUT", "clip", body=b"y")), 403, "AccessDenied")
    assert_refused(send(signed(reader, "DELETE", "clip")), 403, "AccessDenied")
    assert_refused(send(signed(reader, "POST", "clip", query={"uploads": ""})), 403, "AccessDenied")


def test_a_key_is_for_one_bucket(server: R2, account: Account) -> None:
    other = open_account(server, "someone-elses")
    intruder = Account(account.url, other.bucket, account.access_key_id)
    assert_refused(send(signed(intruder, "GET", "clip")), 403, "AccessDenied")
    nowhere = Account(account.url, "missing", account.access_key_id)
    assert_refused(send(signed(nowhere, "GET", "clip")), 403, "AccessDenied")


def test_a_revoked_key_is_unknown_at_once(server: R2, account: Account) -> None:
    server.control.revoke(account.access_key_id)
    assert_refused(send(signed(account, "GET", "clip")), 401, "Unauthorized")


def test_a_key_granted_again_has_its_new_secret(server: R2, account: Account) -> None:
    server.control.grant(account.access_key_id, "rotated", account.bucket, "write")
    assert_refused(send(signed(account, "PUT", "clip", body=b"x")), 403, "SignatureDoesNotMatch")
    rotated = Account(account.url, account.bucket, account.access_key_id, secret="rotated")
    assert send(signed(rotated, "PUT", "clip", body=b"x")).status_code == 200


def test_a_key_of_one_bucket_may_not_manage_buckets(account: Account) -> None:
    s3 = account.s3()
    with pytest.raises(ClientError) as refused:
        s3.list_buckets()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    with pytest.raises(ClientError) as refused:
        s3.delete_bucket(Bucket=account.bucket)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_secrets_are_not_in_a_grant_s_text(tmp_path: Path) -> None:
    from infra.localcloud.r2.store.credentials import Grant

    assert "hush" not in repr(Grant("hush", "bucket", "read"))

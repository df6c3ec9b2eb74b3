"""Objects as the official client sees them: bytes, metadata, ranges, conditions, copies, deletions."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from infra.localcloud.r2 import R2
from tests.infra.localcloud.r2.running import Account, open_account, stored_files
from tests.infra.localcloud.r2.signing import code_of, http, presigned, send, signed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE = bytes(range(256)) * 4096 * 3


def error_of(refused: "pytest.ExceptionInfo[ClientError]") -> tuple[int, str]:
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("body", [b"", b"small", LARGE], ids=["empty", "small", "large"])
def test_an_object_comes_back_as_it_was_put(s3: "S3Client", account: Account, body: bytes) -> None:
    put = s3.put_object(Bucket=account.bucket, Key="clips/one.mp4", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=account.bucket, Key="clips/one.mp4")
    assert got["Body"].read() == body
    assert (got["ContentLength"], got["ETag"], got["AcceptRanges"]) == (len(body), put["ETag"], "bytes")


@pytest.mark.parametrize("key", ["a b", "ü/é", "a+b=c&d?e#f", "a//b/", "../x", "%41", "'\"<>", "a~b(1)!*", "日本"])
def test_any_key_works(s3: "S3Client", account: Account, key: str) -> None:
    s3.put_object(Bucket=account.bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=account.bucket, Key=key)["Body"].read() == key.encode()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=account.bucket)["Contents"]] == [key]


def test_a_key_has_at_most_1024_bytes(s3: "S3Client", account: Account) -> None:
    s3.put_object(Bucket=account.bucket, Key="ü" * 512)
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=account.bucket, Key="ü" * 512 + "x")
    assert error_of(refused) == (400, "InvalidObjectName")


def test_headers_and_metadata_are_kept(s3: "S3Client", account: Account) -> None:
    s3.put_object(
        Bucket=account.bucket,
        Key="clip",
        Body=b"x",
        ContentType="video/mp4",
        CacheControl="no-store",
        ContentDisposition='attachment; filename="clip.mp4"',
        Metadata={"frames": "120"},
    )
    head = s3.head_object(Bucket=account.bucket, Key="clip")
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == ("video/mp4", "no-store", {"frames": "120"})
    assert head["ContentDisposition"] == 'attachment; filename="clip.mp4"'


def test_metadata_above_8_kib_is_refused(s3: "S3Client", account: Account) -> None:
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=account.bucket, Key="clip", Metadata={"notes": "x" * 8190})
    assert error_of(refused) == (400, "MetadataTooLarge")


def test_a_put_replaces_the_whole_object(s3: "S3Client", account: Account) -> None:
    s3.put_object(Bucket=account.bucket, Key="clip", Body=LARGE, Metadata={"old": "1"})
    s3.put_object(Bucket=account.bucket, Key="clip", Body=b"new")
    got = s3.get_object(Bucket=account.bucket, Key="clip")
    assert (got["Body"].read(), got["Metadata"]) == (b"new", {})


@pytest.mark.parametrize("size", [1000, len(LARGE)], ids=["sent at once", "streamed"])
@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=10-99", 10, 100), ("bytes=900-", 900, None), ("bytes=-7", -7, None)],
)
def test_a_range_is_part_of_the_object(
    s3: "S3Client", account: Account, size: int, header: str, start: int, stop: int | None
) -> None:
    body = LARGE[:size]
    s3.put_object(Bucket=account.bucket, Key="clip", Body=body)
    got = s3.get_object(Bucket=account.bucket, Key="clip", Range=header)
    assert got["Body"].read() == body[start:stop]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    first, last, _ = slice(start, stop).indices(size)
    assert got["ContentRange"] == f"bytes {first}-{last - 1}/{size}"


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ("bytes=5-", 416, "InvalidRange"),
        ("bytes=-0", 416, "InvalidRange"),
        ("bytes=3-2", 400, "InvalidArgument"),
        ("bytes=0-1,3-4", 400, "InvalidArgument"),
        ("frames=0-1", 400, "InvalidArgument"),
    ],
)
def test_a_range_that_cannot_be_served_is_refused(account: Account, header: str, status: int, code: str) -> None:
    send(signed(account, "PUT", "clip", body=b"12345"))
    response = send(signed(account, "GET", "clip", headers={"range": header}))
    assert (response.status_code, code_of(response)) == (status, code)
    if status == 416:
        assert response.headers["content-range"] == "bytes */5"


def test_a_resumed_download_gets_the_rest_or_the_new_version_whole(account: Account) -> None:
    etag = send(signed(account, "PUT", "clip", body=b"12345")).headers["etag"]
    resume = {"range": "bytes=3-", "if-range": etag}
    assert send(signed(account, "GET", "clip", headers=resume)).content == b"45"
    send(signed(account, "PUT", "clip", body=b"abcde"))
    whole = send(signed(account, "GET", "clip", headers=resume))
    assert (whole.status_code, whole.content) == (200, b"abcde")


def test_a_signed_get_may_override_response_headers(account: Account) -> None:
    send(signed(account, "PUT", "reel", body=b"x", headers={"content-type": "video/mp4"}))
    wanted = {"response-content-disposition": 'attachment; filename="Höhe.mp4"', "response-content-type": "text/plain"}
    response = http.get(presigned(account, "GET", "reel", query=wanted))
    assert response.headers["content-disposition"].encode("latin-1") == 'attachment; filename="Höhe.mp4"'.encode(
        "latin-1"
    )
    assert response.headers["content-type"] == "text/plain"


def test_a_response_header_cannot_be_split(account: Account) -> None:
    send(signed(account, "PUT", "reel", body=b"x"))
    evil = {"response-content-type": "text/plain\r\nset-cookie: a=b"}
    response = http.get(presigned(account, "GET", "reel", query=evil))
    assert (response.status_code, code_of(response)) == (400, "InvalidArgument")


def test_what_is_missing_is_said(s3: "S3Client", server: R2, account: Account) -> None:
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=account.bucket, Key="missing")
    assert error_of(refused) == (404, "NoSuchKey")
    server.control.delete_bucket(account.bucket)
    for call in (s3.get_object, s3.put_object, s3.delete_object):
        with pytest.raises(ClientError) as refused:
            call(Bucket=account.bucket, Key="clip")
        assert error_of(refused) == (404, "NoSuchBucket")
    with pytest.raises(ClientError) as refused:
        s3.head_bucket(Bucket=account.bucket)
    assert error_of(refused)[0] == 404


def test_a_put_needs_a_content_length(account: Account) -> None:
    response = http.put(presigned(account, "PUT", "clip"), content=iter([b"x"]))
    assert (response.status_code, code_of(response)) == (411, "MissingContentLength")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("content-md5", "X03MO1qnZdYdgyfeuILPmQ==", ""),
        ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
        ("content-md5", "short", "InvalidDigest"),
        ("x-amz-checksum-crc32", "i9aeUg==", "BadDigest"),
        ("x-amz-checksum-crc32", "NcJG1Q==", ""),
        ("x-amz-checksum-sha1", "W6ph5Mm5Pz8GgiULbPgzG37mj9g=", ""),
        ("x-amz-checksum-sha256", "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=", ""),
        ("x-amz-checksum-sha256", "A" * 43 + "=", "BadDigest"),
    ],
)
def test_a_promised_digest_is_checked(account: Account, name: str, value: str, code: str) -> None:
    response = send(signed(account, "PUT", "clip", body=b"password", headers={name: value}))
    assert (response.status_code, code_of(response)) == (400 if code else 200, code)
    assert send(signed(account, "GET", "clip")).status_code == (404 if code else 200)


def test_deleting_is_idempotent(s3: "S3Client", account: Account) -> None:
    s3.put_object(Bucket=account.bucket, Key="clip", Body=b"x")
    for _ in range(2):
        assert s3.delete_object(Bucket=account.bucket, Key="clip")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Contents" not in s3.list_objects_v2(Bucket=account.bucket)


def test_many_keys_are_deleted_in_one_call(s3: "S3Client", account: Account) -> None:
    keys = [f"a&<{number}>" for number in range(20)]
    for key in keys:
        s3.put_object(Bucket=account.bucket, Key=key, Body=b"x")
    wanted = [*keys[:15], "missing"]
    deleted = s3.delete_objects(Bucket=account.bucket, Delete={"Objects": [{"Key": key} for key in wanted]})
    assert [entry["Key"] for entry in deleted["Deleted"]] == wanted
    assert {entry["Key"] for entry in s3.list_objects_v2(Bucket=account.bucket)["Contents"]} == set(keys[15:])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete/>",
        b"<Other/>",
        b"<Delete><Object/></Delete>",
        b"\xff\xfe",
        b'<!DOCTYPE Delete [<!ENTITY key "clip">]><Delete><Object><Key>&key;</Key></Object></Delete>',
    ],
)
def test_a_document_that_is_not_a_deletion_is_malformed(account: Account, body: bytes) -> None:
    response = send(signed(account, "POST", query={"delete": ""}, body=body))
    assert (response.status_code, code_of(response)) == (400, "MalformedXML")


class TestConditions:
    def test_create_only_succeeds_once(self, s3: "S3Client", account: Account) -> None:
        s3.put_object(Bucket=account.bucket, Key="log/1", Body=b"first", IfNoneMatch="*")
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket=account.bucket, Key="log/1", Body=b"second", IfNoneMatch="*")
        assert error_of(refused) == (412, "PreconditionFailed")
        assert s3.get_object(Bucket=account.bucket, Key="log/1")["Body"].read() == b"first"

    def test_a_swap_needs_the_current_etag(self, s3: "S3Client", account: Account) -> None:
        etag = s3.put_object(Bucket=account.bucket, Key="head", Body=b"1")["ETag"]
        s3.put_object(Bucket=account.bucket, Key="head", Body=b"2", IfMatch=etag)
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket=account.bucket, Key="head", Body=b"3", IfMatch=etag)
        assert error_of(refused) == (412, "PreconditionFailed")
        with pytest.raises(ClientError) as refused:
            s3.put_object(Bucket=account.bucket, Key="missing", Body=b"3", IfMatch=etag)
        assert error_of(refused) == (412, "PreconditionFailed")

    def test_of_many_concurrent_creators_one_wins(self, account: Account) -> None:
        def create(number: int) -> int:
            body = bytes([number]) * 100_000
            return send(signed(account, "PUT", "slot", body=body, headers={"if-none-match": "*"})).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(create, range(24)))
        assert sorted(statuses) == [200] + [412] * 23
        assert send(signed(account, "GET", "slot")).content == bytes([statuses.index(200)]) * 100_000

    def test_a_refused_write_leaves_no_bytes_behind(self, state: Path, account: Account) -> None:
        send(signed(account, "PUT", "clip", body=b"1"))
        before = stored_files(state)
        assert send(signed(account, "PUT", "clip", body=LARGE, headers={"if-none-match": "*"})).status_code == 412
        assert (
            send(signed(account, "PUT", "new", body=LARGE, headers={"content-md5": "A" * 22 + "=="})).status_code == 400
        )
        assert stored_files(state) == before

    def test_a_replaced_object_leaves_no_bytes_behind(self, state: Path, account: Account) -> None:
        before = stored_files(state)
        for body in (LARGE, b"", b"1"):
            send(signed(account, "PUT", "clip", body=body))
        assert len(stored_files(state) - before) == 1
        send(signed(account, "DELETE", "clip"))
        assert stored_files(state) == before

    def test_a_reader_is_told_when_nothing_changed(self, s3: "S3Client", account: Account) -> None:
        put = s3.put_object(Bucket=account.bucket, Key="clip", Body=b"x")
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket=account.bucket, Key="clip", IfNoneMatch=put["ETag"])
        assert error_of(refused)[0] == 304
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket=account.bucket, Key="clip", IfMatch='"another"')
        assert error_of(refused) == (412, "PreconditionFailed")
        assert s3.get_object(Bucket=account.bucket, Key="clip", IfMatch=put["ETag"])["Body"].read() == b"x"

    def test_a_deletion_with_a_condition_is_not_implemented(self, account: Account) -> None:
        response = send(signed(account, "DELETE", "clip", headers={"if-match": '"x"'}))
        assert (response.status_code, code_of(response)) == (501, "NotImplemented")


class TestCopies:
    def test_a_copy_has_the_bytes_and_the_metadata(self, s3: "S3Client", account: Account) -> None:
        put = s3.put_object(Bucket=account.bucket, Key="a ü", Body=LARGE, ContentType="video/mp4", Metadata={"n": "1"})
        copied = s3.copy_object(Bucket=account.bucket, Key="b", CopySource={"Bucket": account.bucket, "Key": "a ü"})
        assert copied["CopyObjectResult"]["ETag"] == put["ETag"]
        got = s3.get_object(Bucket=account.bucket, Key="b")
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (LARGE, "video/mp4", {"n": "1"})

    @pytest.mark.parametrize("gone", ["a", "b"])
    def test_a_copy_and_its_source_live_on_their_own(self, s3: "S3Client", account: Account, gone: str) -> None:
        s3.put_object(Bucket=account.bucket, Key="a", Body=LARGE)
        s3.copy_object(Bucket=account.bucket, Key="b", CopySource={"Bucket": account.bucket, "Key": "a"})
        s3.delete_object(Bucket=account.bucket, Key=gone)
        left = "b" if gone == "a" else "a"
        assert s3.get_object(Bucket=account.bucket, Key=left)["Body"].read() == LARGE

    def test_an_object_may_be_copied_onto_itself(self, s3: "S3Client", account: Account) -> None:
        s3.put_object(Bucket=account.bucket, Key="a", Body=LARGE, Metadata={"old": "1", "kept": "1"})
        s3.copy_object(
            Bucket=account.bucket,
            Key="a",
            CopySource={"Bucket": account.bucket, "Key": "a"},
            MetadataDirective="REPLACE",
            Metadata={"new": "1"},
        )
        got = s3.get_object(Bucket=account.bucket, Key="a")
        assert (got["Body"].read(), got["Metadata"]) == (LARGE, {"new": "1"})

    def test_merge_keeps_what_is_not_given(self, account: Account) -> None:
        send(signed(account, "PUT", "a", body=b"x", headers={"content-type": "video/mp4", "x-amz-meta-a": "1"}))
        merge = {"x-amz-copy-source": f"{account.bucket}/a", "x-amz-metadata-directive": "MERGE", "x-amz-meta-b": "2"}
        assert send(signed(account, "PUT", "b", headers=merge)).status_code == 200
        head = send(signed(account, "HEAD", "b")).headers
        assert (head["content-type"], head["x-amz-meta-a"], head["x-amz-meta-b"]) == ("video/mp4", "1", "2")

    def test_conditions_hold_for_source_and_destination(self, account: Account) -> None:
        send(signed(account, "PUT", "a", body=b"x"))
        source = {"x-amz-copy-source": f"/{account.bucket}/a"}
        other = send(signed(account, "PUT", "b", headers={**source, "x-amz-copy-source-if-match": '"no"'}))
        assert (other.status_code, code_of(other)) == (412, "PreconditionFailed")
        create = {**source, "cf-copy-destination-if-none-match": "*"}
        assert send(signed(account, "PUT", "b", headers=create)).status_code == 200
        assert send(signed(account, "PUT", "b", headers=create)).status_code == 412

    def test_the_source_must_be_there_and_readable(self, server: R2, account: Account) -> None:
        missing = send(signed(account, "PUT", "b", headers={"x-amz-copy-source": f"/{account.bucket}/none"}))
        assert (missing.status_code, code_of(missing)) == (404, "NoSuchKey")
        other = open_account(server, "another-source")
        send(signed(other, "PUT", "secret", body=b"x"))
        foreign = send(signed(account, "PUT", "b", headers={"x-amz-copy-source": f"/{other.bucket}/secret"}))
        assert (foreign.status_code, code_of(foreign)) == (403, "AccessDenied")

"""Multipart uploads with R2's rules on sizes, order and ETags."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from infra.localcloud.r2 import R2
from tests.infra.localcloud.r2.running import Account, stored_files
from tests.infra.localcloud.r2.signing import code_of, http, message_of, send, signed
from tests.infra.localcloud.r2.test_objects import error_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 5 << 20
FIRST, SECOND, LAST = b"1" * PART, b"2" * PART, b"3" * 100


class Upload:
    """One upload of the object `film`."""

    def __init__(self, s3: "S3Client", account: Account, **headers: str) -> None:
        self._s3 = s3
        self._name = {"Bucket": account.bucket, "Key": "film"}
        self._account = account
        self.id = s3.create_multipart_upload(**self._name, **headers)["UploadId"]  # type: ignore[arg-type]

    def send(self, number: int, body: bytes) -> "CompletedPartTypeDef":
        answer = self._s3.upload_part(
            Bucket=self._account.bucket, Key="film", UploadId=self.id, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def complete(self, parts: "Sequence[CompletedPartTypeDef]", **conditions: str) -> str:
        answer = self._s3.complete_multipart_upload(
            Bucket=self._account.bucket,
            Key="film",
            UploadId=self.id,
            MultipartUpload={"Parts": parts},
            **conditions,  # type: ignore[arg-type]
        )
        return answer["ETag"]

    def refusal(self, parts: "Sequence[CompletedPartTypeDef]", **conditions: str) -> tuple[int, str]:
        with pytest.raises(ClientError) as refused:
            self.complete(parts, **conditions)
        return error_of(refused)

    def numbers(self) -> list[int]:
        parts = self._s3.list_parts(Bucket=self._account.bucket, Key="film", UploadId=self.id)
        return [part["PartNumber"] for part in parts.get("Parts", [])]


@pytest.fixture
def upload(s3: "S3Client", account: Account) -> Upload:
    return Upload(s3, account)


def test_the_parts_become_one_object(s3: "S3Client", account: Account) -> None:
    upload = Upload(s3, account, ContentType="video/mp4")
    parts = [upload.send(1, FIRST), upload.send(2, SECOND), upload.send(7, LAST)]
    digests = b"".join(hashlib.md5(body).digest() for body in (FIRST, SECOND, LAST))
    assert upload.complete(parts) == f'"{hashlib.md5(digests).hexdigest()}-3"'
    got = s3.get_object(Bucket=account.bucket, Key="film")
    assert (got["Body"].read(), got["ContentType"]) == (FIRST + SECOND + LAST, "video/mp4")


def test_a_range_may_span_parts(s3: "S3Client", account: Account, upload: Upload) -> None:
    upload.complete([upload.send(1, FIRST), upload.send(2, SECOND), upload.send(3, LAST)])
    for start, stop in [(PART - 3, PART + 4), (PART - 1, 2 * PART + 1), (2 * PART, 2 * PART + 1), (5, 9)]:
        got = s3.get_object(Bucket=account.bucket, Key="film", Range=f"bytes={start}-{stop - 1}")
        assert got["Body"].read() == (FIRST + SECOND + LAST)[start:stop]


def test_nothing_is_visible_before_completion(s3: "S3Client", account: Account, upload: Upload) -> None:
    upload.send(1, FIRST)
    assert "Contents" not in s3.list_objects_v2(Bucket=account.bucket)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=account.bucket, Key="film")
    assert error_of(refused) == (404, "NoSuchKey")


def test_boto3_uploads_a_large_file(s3: "S3Client", account: Account) -> None:
    body = FIRST + SECOND + LAST
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(body), account.bucket, "film", Config=config)
    assert s3.get_object(Bucket=account.bucket, Key="film")["Body"].read() == body


def test_a_part_sent_again_replaces_the_first_one(s3: "S3Client", account: Account, upload: Upload) -> None:
    stale = upload.send(1, b"old")
    fresh = upload.send(1, b"new")
    assert upload.refusal([stale]) == (400, "InvalidPart")
    upload.complete([fresh])
    assert s3.get_object(Bucket=account.bucket, Key="film")["Body"].read() == b"new"


def test_parts_that_are_left_out_are_dropped(s3: "S3Client", account: Account, state: Path) -> None:
    before = stored_files(state)
    upload = Upload(s3, account)
    upload.send(1, b"left out")
    upload.complete([upload.send(2, b"taken")])
    assert len(stored_files(state) - before) == 1
    assert s3.get_object(Bucket=account.bucket, Key="film")["Body"].read() == b"taken"


def test_all_parts_but_the_last_need_one_size_of_five_mib(upload: Upload) -> None:
    small, first, bigger, last = (
        upload.send(number, body) for number, body in enumerate([b"tiny", FIRST, SECOND + b"!", LAST], 1)
    )
    assert upload.refusal([small, first]) == (400, "EntityTooSmall")
    assert upload.refusal([first, bigger, last]) == (400, "InvalidPart")
    assert upload.refusal([first, bigger]) == (400, "InvalidPart")
    assert upload.numbers() == [1, 2, 3, 4]
    assert upload.complete([first, last])


def test_parts_must_be_known_and_in_order(upload: Upload) -> None:
    first, second = upload.send(1, FIRST), upload.send(2, LAST)
    assert upload.refusal([second, first]) == (400, "InvalidPartOrder")
    assert upload.refusal([first, first]) == (400, "InvalidPartOrder")
    assert upload.refusal([first, {"PartNumber": 3, "ETag": second["ETag"]}]) == (400, "InvalidPart")
    assert upload.refusal([{"PartNumber": 1, "ETag": second["ETag"]}]) == (400, "InvalidPart")
    assert upload.complete([first, second])


def test_a_completion_may_be_conditional_and_keeps_the_upload_when_refused(
    s3: "S3Client", account: Account, upload: Upload
) -> None:
    etag = s3.put_object(Bucket=account.bucket, Key="film", Body=b"there already")["ETag"]
    part = upload.send(1, b"new")
    assert upload.refusal([part], IfNoneMatch="*") == (412, "PreconditionFailed")
    assert upload.numbers() == [1]
    upload.complete([part], IfMatch=etag)
    assert s3.get_object(Bucket=account.bucket, Key="film")["Body"].read() == b"new"


def test_a_finished_or_aborted_upload_is_gone(s3: "S3Client", account: Account, state: Path) -> None:
    before = stored_files(state)
    finished, aborted = Upload(s3, account), Upload(s3, account)
    part = finished.send(1, b"x")
    finished.complete([part])
    aborted.send(1, b"y")
    s3.abort_multipart_upload(Bucket=account.bucket, Key="film", UploadId=aborted.id)
    for upload in (finished, aborted):
        assert upload.refusal([part]) == (404, "NoSuchUpload")
        with pytest.raises(ClientError) as refused:
            upload.send(1, b"z")
        assert error_of(refused) == (404, "NoSuchUpload")
    assert len(stored_files(state) - before) == 1


def test_an_upload_belongs_to_its_key(account: Account, upload: Upload) -> None:
    query = {"uploadId": upload.id, "partNumber": "1"}
    response = send(signed(account, "PUT", "another", query=query, body=b"x"))
    assert (response.status_code, code_of(response)) == (404, "NoSuchUpload")


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", "²", ""])
def test_a_part_number_is_1_to_10000(account: Account, upload: Upload, number: str) -> None:
    query = {"uploadId": upload.id, "partNumber": number}
    response = send(signed(account, "PUT", "film", query=query, body=b"x"))
    assert (response.status_code, code_of(response)) == (400, "InvalidArgument")


def test_a_browser_uploads_parts_by_presigned_urls(s3: "S3Client", account: Account, upload: Upload) -> None:
    parts: list[CompletedPartTypeDef] = []
    for number, body in enumerate([FIRST, LAST], 1):
        name = {"Bucket": account.bucket, "Key": "film", "UploadId": upload.id, "PartNumber": number}
        answer = http.put(s3.generate_presigned_url("upload_part", Params=name), content=body)
        parts.append({"PartNumber": number, "ETag": answer.headers["etag"]})
    upload.complete(parts)
    assert s3.head_object(Bucket=account.bucket, Key="film")["ContentLength"] == PART + len(LAST)


def test_parts_are_listed_page_by_page(s3: "S3Client", account: Account, upload: Upload) -> None:
    for number in (1, 3, 5, 10_000):
        upload.send(number, b"x" * number)
    pages = s3.get_paginator("list_parts").paginate(
        Bucket=account.bucket, Key="film", UploadId=upload.id, PaginationConfig={"PageSize": 3}
    )
    listed = [[(part["PartNumber"], part["Size"]) for part in page["Parts"]] for page in pages]
    assert listed == [[(1, 1), (3, 3), (5, 5)], [(10_000, 10_000)]]


def test_uploads_are_listed_page_by_page(s3: "S3Client", account: Account) -> None:
    created = []
    for key in ("a/1", "a/1", "a/2", "a ü", "b"):
        answer = s3.create_multipart_upload(Bucket=account.bucket, Key=key)
        created.append((answer["Key"], answer["UploadId"]))
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=account.bucket, Prefix="a", PaginationConfig={"PageSize": 2}
    )
    listed = [(upload["Key"], upload["UploadId"]) for page in pages for upload in page["Uploads"]]
    assert listed == sorted(upload for upload in created if upload[0] != "b")


def test_a_bucket_with_only_an_upload_may_be_deleted_and_frees_its_parts(
    s3: "S3Client", server: R2, account: Account, state: Path
) -> None:
    before = stored_files(state)
    upload = Upload(s3, account)
    upload.send(1, b"x")
    server.control.delete_bucket(account.bucket)
    assert stored_files(state) == before
    server.control.create_bucket(account.bucket)
    with pytest.raises(ClientError) as refused:
        upload.send(2, b"y")
    assert error_of(refused) == (404, "NoSuchUpload")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<CompleteMultipartUpload/>",
        "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
        '<!DOCTYPE a [<!ENTITY b "c">]><CompleteMultipartUpload><Part>&b;</Part></CompleteMultipartUpload>',
    ],
)
def test_a_completion_that_cannot_be_read_is_malformed(account: Account, upload: Upload, document: str) -> None:
    response = send(signed(account, "POST", "film", query={"uploadId": upload.id}, body=document.encode()))
    assert (response.status_code, code_of(response)) == (400, "MalformedXML"), message_of(response)


def test_a_huge_document_is_refused(account: Account, upload: Upload) -> None:
    response = send(signed(account, "POST", "film", query={"uploadId": upload.id}, body=b" " * (5 << 20)))
    assert (response.status_code, code_of(response)) == (400, "MalformedXML")

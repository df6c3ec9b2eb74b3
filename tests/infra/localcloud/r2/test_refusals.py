"""What R2 does not implement is refused by name, and a client that R2 would refuse is refused here."""

import pytest
from botocore.exceptions import ClientError

from tests.infra.localcloud.r2.running import Account
from tests.infra.localcloud.r2.signing import code_of, http, message_of, presigned, send, signed, url_of
from tests.infra.localcloud.r2.test_objects import error_of


@pytest.mark.parametrize(
    ("method", "key", "query", "name"),
    [
        ("GET", "clip", {"acl": ""}, "GetObjectAcl"),
        ("PUT", "clip", {"acl": ""}, "PutObjectAcl"),
        ("PUT", "clip", {"tagging": ""}, "PutObjectTagging"),
        ("GET", "clip", {"versionId": "1"}, "GetObjectVersion"),
        ("GET", "clip", {"partNumber": "1"}, "GetObject with partNumber"),
        ("POST", "clip", {"restore": ""}, "PostObjectRestore"),
        ("POST", "clip", {}, "PostObject"),
        ("PATCH", "clip", {}, "PATCH of an object"),
        ("GET", "", {}, "ListObjects"),
        ("GET", "", {"policy": ""}, "GetBucketPolicy"),
        ("PUT", "", {"versioning": ""}, "PutBucketVersioning"),
        ("DELETE", "", {"website": ""}, "DeleteBucketWebsite"),
    ],
)
def test_a_call_that_is_not_implemented_is_named(
    account: Account, method: str, key: str, query: dict[str, str], name: str
) -> None:
    response = send(signed(account, method, key, query=query))
    assert (response.status_code, code_of(response)) == (501, "NotImplemented")
    assert message_of(response) == f"{name} not implemented"


def test_a_form_upload_is_not_implemented(account: Account) -> None:
    response = http.post(url_of(account), data={"key": "clip"}, files={"file": b"x"})
    assert (response.status_code, message_of(response)) == (501, "PostObject not implemented")


def test_a_part_cannot_be_copied(account: Account) -> None:
    query = {"uploadId": "x", "partNumber": "1"}
    response = send(signed(account, "PUT", "clip", query=query, headers={"x-amz-copy-source": "a/b"}))
    assert (response.status_code, message_of(response)) == (501, "UploadPartCopy not implemented")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-acl", "public-read"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-grant-read", "id=1"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-checksum-crc32c", "AAAAAA=="),
        ("x-amz-invented", "1"),
        ("cf-create-bucket-if-missing", "true"),
    ],
)
def test_a_header_that_is_not_implemented_is_named(account: Account, name: str, value: str) -> None:
    response = send(signed(account, "PUT", "clip", body=b"x", headers={name: value}))
    assert (response.status_code, code_of(response)) == (501, "NotImplemented")
    assert message_of(response) == f"Header '{name}' with value '{value}' not implemented"
    assert send(signed(account, "GET", "clip")).status_code == 404


@pytest.mark.parametrize("kind", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_a_chunk_signed_body_is_not_implemented(account: Account, kind: str) -> None:
    request = signed(account, "PUT", "clip", body=b"x")
    request.headers["x-amz-content-sha256"] = kind
    response = send(request)
    assert (response.status_code, message_of(response)) == (501, f"{kind} not implemented")


def test_an_aws_chunked_body_is_not_implemented(account: Account) -> None:
    response = http.put(
        presigned(account, "PUT", "clip"), content=b"1\r\nx\r\n0\r\n\r\n", headers={"content-encoding": "aws-chunked"}
    )
    assert (response.status_code, code_of(response)) == (501, "NotImplemented")


def test_boto3_with_its_default_checksums_is_refused(account: Account) -> None:
    s3 = account.s3(checksums="when_supported")
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=account.bucket, Key="clip", Body=b"x")
    assert error_of(refused) == (501, "NotImplemented")
    with pytest.raises(ClientError) as refused:
        s3.upload_part(Bucket=account.bucket, Key="clip", UploadId="any", PartNumber=1, Body=b"x")
    assert error_of(refused) == (501, "NotImplemented")


def test_a_session_token_is_refused(account: Account) -> None:
    response = send(signed(account, "GET", "clip", headers={"x-amz-security-token": "t"}))
    assert (response.status_code, message_of(response)) == (400, "X-Amz-Security-Token")


@pytest.mark.parametrize("path", ["/%ff/x", "/bucket/%ff%fe"])
def test_an_address_that_is_not_utf_8_is_refused(account: Account, path: str) -> None:
    response = http.get(account.url + path)
    assert (response.status_code, code_of(response)) == (400, "InvalidObjectName")

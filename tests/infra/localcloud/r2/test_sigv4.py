"""Signatures of the examples that AWS publishes (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth)."""

import hashlib

from infra.localcloud.r2 import sigv4

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SCOPE = sigv4.Scope("20130524", "us-east-1", "s3")
TIMESTAMP = "20130524T000000Z"
EMPTY = hashlib.sha256(b"").hexdigest()
HOST = "examplebucket.s3.amazonaws.com"


def test_a_get_with_a_range_has_the_published_signature() -> None:
    headers = {"host": HOST, "range": "bytes=0-9", "x-amz-content-sha256": EMPTY, "x-amz-date": TIMESTAMP}
    canonical = sigv4.canonical_request("GET", "/test.txt", {}, headers, sorted(headers), EMPTY)
    expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert sigv4.signature(SECRET, SCOPE, TIMESTAMP, canonical) == expected


def test_a_put_whose_key_needs_encoding_has_the_published_signature() -> None:
    payload = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()
    headers = {
        "date": "Fri, 24 May 2013 00:00:00 GMT",
        "host": HOST,
        "x-amz-content-sha256": payload,
        "x-amz-date": TIMESTAMP,
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    canonical = sigv4.canonical_request("PUT", "/test$file.text", {}, headers, sorted(headers), payload)
    expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    assert sigv4.signature(SECRET, SCOPE, TIMESTAMP, canonical) == expected


def test_a_list_with_a_query_has_the_published_signature() -> None:
    headers = {"host": HOST, "x-amz-content-sha256": EMPTY, "x-amz-date": TIMESTAMP}
    query = {"prefix": "J", "max-keys": "2"}
    canonical = sigv4.canonical_request("GET", "/", query, headers, sorted(headers), EMPTY)
    expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    assert sigv4.signature(SECRET, SCOPE, TIMESTAMP, canonical) == expected


def test_a_presigned_url_has_the_published_signature() -> None:
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request",
        "X-Amz-Date": TIMESTAMP,
        "X-Amz-Expires": "86400",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "is left out of what is signed",
    }
    canonical = sigv4.canonical_request("GET", "/test.txt", query, {"host": HOST}, ["host"], sigv4.UNSIGNED_PAYLOAD)
    expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    assert sigv4.signature(SECRET, SCOPE, TIMESTAMP, canonical) == expected

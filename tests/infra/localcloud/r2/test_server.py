"""The server under load and misuse: large bodies, slow and vanishing clients, early errors, several clients at once."""

import asyncio
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import obstore
import pytest
from botocore.exceptions import ClientError
from obstore.exceptions import AlreadyExistsError, PreconditionError

from infra.localcloud.asgi import PortInUseError
from infra.localcloud.r2 import R2
from infra.localcloud.r2.store.storage import Storage
from tests.infra.localcloud.r2.running import Account, open_account, stored_files
from tests.infra.localcloud.r2.signing import http, presigned, send, signed

MIB = 1 << 20
LARGE = 16 * MIB  # more than the sockets of a connection buffer


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, f"still waiting until {what}"
        time.sleep(0.01)


def pieces(size: int, letter: bytes = b"x") -> Iterator[bytes]:
    for _ in range(size // MIB):
        yield letter * MIB


def put_large(account: Account, key: str, letter: bytes = b"x", size: int = LARGE) -> httpx.Response:
    url = presigned(account, "PUT", key)
    return http.put(url, content=pieces(size, letter), headers={"content-length": str(size)}, timeout=60)


async def test_it_runs_in_the_loop_of_its_caller(tmp_path: Path) -> None:
    r2 = R2(tmp_path)
    await r2.start()
    try:
        account = open_account(r2, "bucket")
        async with httpx.AsyncClient(verify=False, timeout=60) as client:
            assert (await client.put(presigned(account, "PUT", "a"), content=b"x")).status_code == 200
            assert (await client.get(presigned(account, "GET", "a"))).content == b"x"
    finally:
        await r2.stop()
    with pytest.raises(httpx.ConnectError):
        http.get(account.url)


async def test_a_port_that_is_taken_is_said(server: R2, tmp_path: Path) -> None:
    r2 = R2(tmp_path, port=server.port)
    try:
        with pytest.raises(PortInUseError, match=f"port {server.port}"):
            await r2.start()
    finally:
        await r2.stop()
    Storage(tmp_path).close()


def test_a_large_object_is_never_whole_in_memory(account: Account) -> None:
    size = 32 * MIB
    tracemalloc.start()
    try:
        assert put_large(account, "film", size=size).status_code == 200
        with http.stream("GET", presigned(account, "GET", "film"), timeout=60) as response:
            received = sum(len(chunk) for chunk in response.iter_raw())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == size
    assert peak < 12 * MIB


def test_a_reader_keeps_its_version_while_the_object_is_replaced(account: Account, state: Path) -> None:
    before = stored_files(state)
    put_large(account, "film", b"1")
    with http.stream("GET", presigned(account, "GET", "film"), timeout=60) as response:
        chunks = response.iter_raw()
        read = bytearray(next(chunks))
        put_large(account, "film", b"2", size=MIB)
        for chunk in chunks:
            read += chunk
    assert read == b"1" * LARGE
    assert http.get(presigned(account, "GET", "film")).content == b"2" * MIB
    wait_until(lambda: len(stored_files(state) - before) == 1, "the old bytes are removed")


def test_a_reader_that_goes_away_frees_the_object(account: Account, state: Path) -> None:
    before = stored_files(state)
    put_large(account, "film")
    with http.stream("GET", presigned(account, "GET", "film")) as response:
        next(response.iter_raw())
    send(signed(account, "DELETE", "film"))
    wait_until(lambda: stored_files(state) == before, "the bytes are removed")


def test_a_slow_reader_stops_nobody(account: Account) -> None:
    put_large(account, "film")
    with http.stream("GET", presigned(account, "GET", "film")) as response:
        next(response.iter_raw())
        assert send(signed(account, "PUT", "clip", body=b"x")).status_code == 200
        assert send(signed(account, "GET", "clip")).content == b"x"


@pytest.mark.parametrize("sent", [b"", b"x" * 10, b"x" * (2 * MIB)], ids=["nothing", "a little", "more than is held"])
def test_a_writer_that_goes_away_leaves_nothing(account: Account, state: Path, sent: bytes) -> None:
    before = stored_files(state)
    url = urlsplit(presigned(account, "PUT", "film"))
    with socket.create_connection((url.hostname or "", url.port or 0)) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nhost: {url.netloc}\r\ncontent-length: {LARGE}\r\n\r\n"
        connection.sendall(head.encode() + sent)
        wait_until(lambda: stored_files(state) != before, "the upload begins")
        assert send(signed(account, "PUT", "clip", body=b"")).status_code == 200
    wait_until(lambda: stored_files(state) == before, "the unfinished upload is removed")
    assert send(signed(account, "GET", "film")).status_code == 404


def test_an_error_before_the_body_is_read_reaches_the_client(account: Account) -> None:
    stranger = Account(account.url, account.bucket, account.access_key_id, secret="wrong")
    with httpx.Client(verify=False, timeout=60) as client:
        for _ in range(2):
            refused = client.put(
                presigned(stranger, "PUT", "film"), content=pieces(LARGE), headers={"content-length": str(LARGE)}
            )
            assert refused.status_code == 403
            assert client.put(presigned(account, "PUT", "clip"), content=b"x").status_code == 200


def test_a_client_that_waits_for_continue_can_go_on_after_an_error(server: R2, account: Account) -> None:
    reader = open_account(server, account.bucket, "read").s3()
    s3 = account.s3()
    s3.put_object(Bucket=account.bucket, Key="clip", Body=b"first")
    for _ in range(3):
        with pytest.raises(ClientError):
            reader.put_object(Bucket=account.bucket, Key="clip", Body=b"x" * MIB)
        with pytest.raises(ClientError):
            s3.put_object(Bucket=account.bucket, Key="clip", Body=b"x" * MIB, IfNoneMatch="*")
        assert reader.get_object(Bucket=account.bucket, Key="clip")["Body"].read() == b"first"


def test_an_unexpected_failure_is_logged_and_answered(
    account: Account, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = stored_files(state)
    send(signed(account, "PUT", "clip", body=b"x"))
    (name,) = stored_files(state) - before
    (state / "blobs" / name[:2] / name).unlink()
    response = send(signed(account, "GET", "clip"))
    assert response.status_code == 500
    assert "<Code>InternalError</Code>" in response.text
    assert f"GetObject of {account.bucket}/clip failed" in caplog.text


class TestObstore:
    """The other official client, as the backend uses it."""

    async def test_create_only_and_swap(self, account: Account) -> None:
        store = account.obstore()
        created = await obstore.put_async(store, "log/1", b"1", mode="create")
        with pytest.raises(AlreadyExistsError):
            await obstore.put_async(store, "log/1", b"2", mode="create")
        await obstore.put_async(store, "log/1", b"2", mode={"e_tag": created["e_tag"]})
        with pytest.raises(PreconditionError):
            await obstore.put_async(store, "log/1", b"3", mode={"e_tag": created["e_tag"]})
        assert bytes(await (await obstore.get_async(store, "log/1")).bytes_async()) == b"2"

    async def test_lists_copies_and_deletes(self, account: Account) -> None:
        store = account.obstore()
        await asyncio.gather(*(obstore.put_async(store, f"users/a b/{number}", b"x") for number in range(20)))
        listed = [entry["path"] for batch in obstore.list(store, "users") for entry in batch]
        assert listed == sorted(f"users/a b/{number}" for number in range(20))
        assert (await obstore.list_with_delimiter_async(store, "users"))["common_prefixes"] == ["users/a b"]
        await obstore.copy_async(store, listed[0], "copy")
        await obstore.delete_async(store, listed)
        assert [entry["path"] for batch in obstore.list(store) for entry in batch] == ["copy"]

    async def test_multipart_ranges_and_presigned_urls(self, account: Account) -> None:
        store = account.obstore()
        body = bytes(range(256)) * (12 * MIB // 256)
        await obstore.put_async(store, "film", body, chunk_size=5 * MIB, max_concurrency=3, use_multipart=True)
        start, end = 5 * MIB - 2, 5 * MIB + 2
        assert bytes(await obstore.get_range_async(store, "film", start=start, end=end)) == body[start:end]
        url = await obstore.sign_async(store, "GET", "film", timedelta(minutes=1))
        async with httpx.AsyncClient(verify=False, timeout=60) as client:
            assert (await client.get(url)).content == body

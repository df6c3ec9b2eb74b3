"""What was acknowledged is there after a restart and after SIGKILL; what was not is there whole or not at all."""

import hashlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.localcloud.r2 import R2, Control, CorsRule
from infra.localcloud.r2.store.storage import StateInUseError, Storage
from tests.infra.localcloud.r2.running import SECRET, Account, open_account, running, stored_files
from tests.infra.localcloud.r2.signing import send, signed

SEED = 20_261_122
PART = 5 << 20


def test_everything_persists_over_a_restart(tmp_path: Path) -> None:
    rules = [CorsRule(origins=("https://app.example",), methods=("PUT",), expose_headers=("ETag",), id="app")]
    lifecycle = [{"id": "rule", "enabled": True, "conditions": {"prefix": "tmp/"}}]
    with running(R2(tmp_path)) as r2:
        account = open_account(r2, "kept")
        bucket = r2.control.bucket("kept")
        r2.control.set_cors("kept", rules)
        r2.control.set_lifecycle("kept", lifecycle)
        s3 = account.s3()
        s3.put_object(Bucket="kept", Key="clip", Body=b"x" * 100_000, Metadata={"frames": "9"})
        upload = s3.create_multipart_upload(Bucket="kept", Key="film")["UploadId"]
        part = s3.upload_part(Bucket="kept", Key="film", UploadId=upload, PartNumber=1, Body=b"film")
    with running(R2(tmp_path)) as r2:
        assert r2.control.bucket("kept") == bucket
        assert (r2.control.cors("kept"), r2.control.lifecycle("kept")) == (rules, lifecycle)
        s3 = Account(r2.url, "kept", account.access_key_id).s3()
        got = s3.get_object(Bucket="kept", Key="clip")
        assert (got["Body"].read(), got["Metadata"]) == (b"x" * 100_000, {"frames": "9"})
        s3.complete_multipart_upload(
            Bucket="kept",
            Key="film",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
        assert s3.get_object(Bucket="kept", Key="film")["Body"].read() == b"film"


def test_what_a_kill_left_behind_is_removed_at_start(tmp_path: Path) -> None:
    with running(R2(tmp_path)) as r2:
        account = open_account(r2, "bucket")
        send(signed(account, "PUT", "clip", body=b"x"))
    kept = stored_files(tmp_path)
    (tmp_path / "incoming" / ("a" * 32)).write_bytes(b"half")
    (tmp_path / "blobs" / "bb" / ("b" * 32)).write_bytes(b"whole, but without a name")
    with running(R2(tmp_path)) as r2:
        assert stored_files(tmp_path) == kept
        assert send(signed(Account(r2.url, "bucket", account.access_key_id), "GET", "clip")).content == b"x"


def test_a_state_folder_has_one_owner(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    with pytest.raises(StateInUseError, match=r"served by another process; stop it"):
        Storage(tmp_path)
    storage.close()
    Storage(tmp_path).close()


def test_the_state_folder_is_private(tmp_path: Path) -> None:
    Storage(tmp_path / "state").close()
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_state_of_another_version_is_refused(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.database.run("pragma user_version = 99")
    storage.close()
    with pytest.raises(RuntimeError, match="has schema 99"):
        Storage(tmp_path)


def test_writes_may_be_synced_to_the_disk(tmp_path: Path) -> None:
    with running(R2(tmp_path, fsync=True)) as r2:
        account = open_account(r2, "bucket")
        assert send(signed(account, "PUT", "clip", body=b"x")).status_code == 200
        assert send(signed(account, "GET", "clip")).content == b"x"


class Writer(threading.Thread):
    """Writes until the server dies; `acknowledged` has the last version of each key that the server confirmed."""

    def __init__(self, account: Account, number: int, progress: threading.Semaphore) -> None:
        super().__init__(name=f"writer-{number}")
        self.acknowledged: dict[str, int] = {}
        self.failure: BaseException | None = None
        self._account = account
        self._random = random.Random(SEED + number)
        self._progress = progress
        self._prefix = f"writer-{number}"

    def run(self) -> None:
        store = self._account.obstore()
        version = 0
        try:
            while True:
                version += 1
                key = f"{self._prefix}/{self._random.randrange(5)}"
                body = body_of(key, version)
                if self._random.random() < 0.1:
                    store.put(key, body * (PART // len(body) + 1), chunk_size=PART, use_multipart=True)
                else:
                    store.put(key, body, use_multipart=False)
                self.acknowledged[key] = version
                self._progress.release()
        except Exception as error:
            self.failure = error


def body_of(key: str, version: int) -> bytes:
    """The version can be read off the bytes, and a torn body is noticed."""
    seed = hashlib.sha256(f"{key} {version}".encode()).digest()
    return version.to_bytes(8, "big") + seed * (1 + seed[0] * 8)


def version_of(key: str, body: bytes) -> int:
    """Raises AssertionError for bytes that nobody wrote."""
    version = int.from_bytes(body[:8], "big")
    written = body_of(key, version)
    assert body in (written, written * (PART // len(written) + 1)), f"{key} is torn"
    return version


@contextmanager
def served(state: Path) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    command = [sys.executable, "-m", "tests.infra.localcloud.r2.serve", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait(30)
        assert process.stdout
        process.stdout.close()


@pytest.mark.parametrize("writes", [3, 60])
def test_nothing_acknowledged_is_lost_or_torn_by_sigkill(tmp_path: Path, writes: int) -> None:
    storage = Storage(tmp_path)
    control = Control(storage, time.time)
    control.create_bucket("bucket")
    control.grant("key", SECRET, "bucket", "write")
    storage.close()
    progress = threading.Semaphore(0)
    with served(tmp_path) as (process, url):
        writers = [Writer(Account(url, "bucket", "key"), number, progress) for number in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(writes):
            assert progress.acquire(timeout=60), [writer.failure for writer in writers]
        process.kill()
        for writer in writers:
            writer.join(60)
    with running(R2(tmp_path)) as r2:
        store = Account(r2.url, "bucket", "key").obstore()
        for writer in writers:
            for key, version in writer.acknowledged.items():
                assert version_of(key, bytes(store.get(key).bytes())) >= version
    assert_no_waste(tmp_path)


def assert_no_waste(state: Path) -> None:
    storage = Storage(state)
    try:
        assert stored_files(state) == storage.objects.named_blobs() | storage.uploads.named_blobs()
    finally:
        storage.close()

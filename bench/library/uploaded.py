"""The plan that most take first: SQLite commits to a local file, boto3 uploads the file. For its CPU time only."""

import asyncio
import sqlite3
from pathlib import Path

import boto3
from botocore.config import Config

from app.kit.owner import Owner
from app.library.intent import Intent
from app.library.libraries import Libraries
from app.library.write import Handler, Reply
from app.settings import R2Settings
from app.storage.keys import Keys
from app.storage.objects import R2ObjectStore
from bench.library.files import transaction

_CONFIG = Config(
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    retries={"total_max_attempts": 1},
)


class UploadedLibraries(Libraries):
    """One library in `file`. Only `commit`, without idempotency and conflicts, to the baseline's advantage.

    It runs in a thread, since both its parts would block the event loop. Every upload has a key of its own: R2 would
    refuse a second write of one key within a second.
    """

    def __init__(self, settings: R2Settings, keys: Keys, file: Path) -> None:
        super().__init__(R2ObjectStore(settings), keys)
        self._file = file
        self._bucket = settings.bucket
        self._uploads = 0
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._s3 = boto3.client(
            "s3",
            endpoint_url=settings.endpoint,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key.get_secret_value(),
            region_name="auto",
            config=_CONFIG,
        )

    async def commit(self, owner: Owner, intent: Intent, handler: Handler[Reply], reply: type[Reply]) -> Reply:
        return await asyncio.to_thread(self._commit, owner, handler)

    async def close(self) -> None:
        await super().close()
        self._connection.close()

    def _commit(self, owner: Owner, handler: Handler[Reply]) -> Reply:
        answer = transaction(self._connection, handler)
        self._uploads += 1
        key = f"bench/uploaded/{owner.user_id}/{self._uploads}"
        with self._file.open("rb") as body:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        return answer

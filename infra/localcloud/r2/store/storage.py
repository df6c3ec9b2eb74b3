"""Everything that R2 keeps, in one folder that one process owns."""

import fcntl
from pathlib import Path

from infra.localcloud.r2.store.blobs import Blobs
from infra.localcloud.r2.store.buckets import BucketStore
from infra.localcloud.r2.store.credentials import CredentialStore
from infra.localcloud.r2.store.database import Database
from infra.localcloud.r2.store.objects import ObjectStore
from infra.localcloud.r2.store.uploads import UploadStore


class StateInUseError(RuntimeError):
    """Another process serves this state folder."""


class Storage:
    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        """Opens or makes the folder, readable by its owner only: keys are in it. Raises StateInUseError."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise StateInUseError(f"{folder} is served by another process; stop it or choose another folder") from error
        self.database = Database(folder / "metadata.sqlite", fsync=fsync)
        self.buckets = BucketStore(self.database)
        self.objects = ObjectStore(self.database)
        self.uploads = UploadStore(self.database)
        self.credentials = CredentialStore(self.database)
        self.blobs = Blobs(folder, fsync=fsync)

    def sweep(self) -> int:
        """Removes blobs that a killed process left without a name; returns how many."""
        return self.blobs.sweep(self.objects.named_blobs() | self.uploads.named_blobs())

    def close(self) -> None:
        self.database.close()
        self._lock.close()

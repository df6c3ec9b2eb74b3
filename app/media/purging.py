"""The background job that removes the file of media that was deleted."""

from app.jobs.job import Job, Outcome
from app.library.libraries import Libraries
from app.media import store
from app.storage.keys import Keys
from app.storage.port import ObjectStore


class MediaPurge:
    """JobKind (`app.jobs.job`): looks again whether the row is gone, then deletes; repeating it does no harm."""

    slots = 4

    def __init__(self, libraries: Libraries, objects: ObjectStore, keys: Keys) -> None:
        self._libraries = libraries
        self._objects = objects
        self._keys = keys

    async def run(self, job: Job) -> Outcome:
        async with self._libraries.read(job.owner) as db:
            row = store.find(db, job.id)
        if row is None:
            await self._objects.delete(self._keys.media(job.owner, job.id))
        return Outcome.DONE

    async def discard(self, job: Job) -> None:
        """What is deleted stays deleted, also when jobs are cleared."""
        await self.run(job)

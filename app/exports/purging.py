"""The background job that removes a rendered file whose reel, or whose export, was deleted."""

from app.exports import store
from app.jobs.job import Job, Outcome
from app.library.libraries import Libraries
from app.reels import service as reels_service
from app.storage.keys import Keys
from app.storage.port import ObjectStore


class RenderPurge:
    """JobKind (`app.jobs.job`): looks again whether nothing needs the file, then deletes; repeating it does no harm."""

    slots = 4

    def __init__(self, libraries: Libraries, objects: ObjectStore, keys: Keys) -> None:
        self._libraries = libraries
        self._objects = objects
        self._keys = keys

    async def run(self, job: Job) -> Outcome:
        recipe_sha256, export_id = reels_service.purged_render(job)
        key = self._keys.render(job.owner, recipe_sha256, export_id)
        async with self._libraries.read(job.owner) as db:
            row = store.find(db, export_id)
            # An export that is not complete may write, or be retried and write, this file.
            needed = reels_service.holds(db, key) or (row is not None and row.status != "complete")
        if not needed:
            await self._objects.delete(key)
        return Outcome.DONE

    async def discard(self, job: Job) -> None:
        """What is deleted stays deleted, also when jobs are cleared."""
        await self.run(job)

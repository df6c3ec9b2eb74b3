"""A reel out of the bucket."""

from pathlib import Path

from infra.deploy.errors import DeployError
from infra.deploy.journey.client import Api, Json

CHUNK_BYTES = 1 << 20


async def download(api: Api, reel_id: str, target: Path) -> Json:
    """The reel's record, once all of its bytes are at `target`."""
    reel: Json = await api.call("GET", f"/api/reels/{reel_id}")
    link = await api.call("GET", f"/api/reels/{reel_id}/download")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    async with api.bucket.stream("GET", link["url"]) as answer:
        if answer.status_code != 200:
            raise DeployError(f"the bucket answered {answer.status_code} to the download of reel {reel_id}")
        with partial.open("wb") as file:
            async for chunk in answer.aiter_bytes(CHUNK_BYTES):
                file.write(chunk)
    if partial.stat().st_size != reel["size_bytes"]:
        raise DeployError(f"reel {reel_id} has {reel['size_bytes']} bytes, {partial.stat().st_size} arrived")
    partial.replace(target)
    return reel

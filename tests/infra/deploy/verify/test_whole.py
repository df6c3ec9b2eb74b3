"""Once for real: a recording made here, rendered by the media functions, and found in order."""

from pathlib import Path

from app.jobs.local_renderer import LocalRenderer
from tests.infra.deploy.verify.conftest import verified
from tests.infra.deploy.world import world


async def test_a_stack_with_its_real_media_functions_is_in_order(tmp_path: Path) -> None:
    async with world(tmp_path, LocalRenderer()) as stack:
        report = await verified(stack, version=None)
        table = "\n".join(row.shown() for row in report.rows)
        assert report.failed == [], table
        said = {row.name: row.said for row in report.rows}
        assert "60 frames of 1080x1920" in said["download framing"]
        assert "60 frames of 640x360" in said["download extract"]
        assert await stack.keys() == []

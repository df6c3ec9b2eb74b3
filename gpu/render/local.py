"""A render between two local files, for people."""

import tempfile
from pathlib import Path

from gpu.contract import RenderResult
from gpu.plan.spec import EditSpec
from gpu.render.output import move_into_place
from gpu.render.produce import OnProgress, produce


def render_local(video: Path, spec: EditSpec, out: Path, on_progress: OnProgress) -> RenderResult:
    """Raises MediaFailure; `out` is replaced in one step, by a whole and checked file only."""
    with video.open("rb") as file, tempfile.TemporaryDirectory(prefix=".render-", dir=out.parent) as folder:
        path = Path(folder) / out.name
        result = produce(file, "framing", spec, path, on_progress)
        move_into_place(path, out)
    return result

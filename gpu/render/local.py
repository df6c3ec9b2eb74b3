"""A render between local files, for people."""

import errno
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gpu.contract import RenderKind, RenderResult
from gpu.plan.spec import EditSpec
from gpu.render.engines.choose import Wanted
from gpu.render.errors import MediaFailure
from gpu.render.output import move_into_place
from gpu.render.produce import OnProgress, produce
from gpu.render.sources import LocalSources


def render_local(
    videos: Sequence[Path],
    kind: RenderKind,
    spec: EditSpec,
    out: Path,
    on_progress: OnProgress,
    wanted: Wanted = "auto",
) -> RenderResult:
    """`videos[i]` is the spec's source i. `out` is replaced in one step, by a whole and checked file only.

    `wanted` is the engine that is taken if it can make this render.

    Raises MediaFailure, and OSError for what cannot be read or written.
    """
    if (needed := max(clip.source for clip in spec.clips) + 1) > len(videos):
        raise MediaFailure("bad_spec", f"the clips need {needed} videos, {len(videos)} are given")
    if out.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(out))
    with tempfile.TemporaryDirectory(prefix=".render-", dir=out.parent) as folder:
        path = Path(folder) / "result.mp4"
        result = produce(LocalSources(videos), kind, spec, path, on_progress, wanted)
        move_into_place(path, out)
    return result

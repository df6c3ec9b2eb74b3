"""A moving soft spotlight with a ring over the whole of a 1080p clip, against the limit of the machine."""

import statistics
from collections.abc import Iterator

from bench.figure import Figure
from bench.render.match import FRAMES, in_turn, recording, render, transcode
from gpu.plan.spec import ClipEdit, EditSpec, EllipseKeyframe, HighlightRegion

RUNS = 3
LEAST_PART = 0.9
SPEC = EditSpec(
    clips=(ClipEdit(in_frame=0, out_frame=FRAMES),),
    regions=(
        HighlightRegion(
            in_frame=0,
            out_frame=FRAMES,
            fade_frames=10,
            keyframes=tuple(
                EllipseKeyframe(frame=frame, x=x, y=y, radius_x=90, radius_y=150)
                for frame, x, y in ((0, 300.5, 500), (FRAMES // 3, 900, 700.5), (FRAMES - 1, 1500, 400))
            ),
        ),
    ),
)


def figures() -> Iterator[Figure]:
    """Frames a second; medians of runs in turn with the baseline."""
    with recording() as clip:
        ours, limit = (
            FRAMES / statistics.median(each)
            for each in in_turn(RUNS, lambda: render("overlay", clip, SPEC), lambda: transcode(clip))
        )
    yield Figure("overlay 1080p", ours, "fps", limit, limit=LEAST_PART, at_most=False)


if __name__ == "__main__":
    for figure in figures():
        print(figure.line())

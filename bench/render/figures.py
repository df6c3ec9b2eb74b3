"""All figures of the renderer."""

from collections.abc import Iterator

from bench.figure import Figure
from bench.render import encoder, extract, framing, overlay, processes, weight

ROOMS = (framing, overlay, encoder, extract, processes, weight)


def figures() -> Iterator[Figure]:
    for room in ROOMS:
        yield from room.figures()


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), flush=True)

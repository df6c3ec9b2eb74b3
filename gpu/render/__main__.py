"""Media functions as commands.

For people: `VIDEO … --spec FILE -o FILE` renders, `probe VIDEO` tells what a file is. For programs: `--request NAME`
takes a request of that function as JSON on stdin and answers in JSON lines on stdout: progress, then one response; it
ends with 0 when there is a response, be it an error. Logs and progress for people go to stderr.
"""

import argparse
import json
import logging
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, get_args

from gpu.contract import (
    DERIVE_FUNCTION,
    PROBE_FUNCTION,
    RENDER_FUNCTION,
    TRACK_FUNCTION,
    UPSCALE_FUNCTION,
    RenderKind,
)
from gpu.plan.spec import EditSpec, Value
from gpu.render.errors import MediaFailure

if TYPE_CHECKING:
    from gpu.render.limits import Limits

PROGRESS_SECONDS = 0.1
ENGINES = ("auto", "pyav", "nvdec", "ffmpeg")
FUNCTIONS = (PROBE_FUNCTION, RENDER_FUNCTION, DERIVE_FUNCTION, TRACK_FUNCTION, UPSCALE_FUNCTION)
_NETWORKS = (TRACK_FUNCTION, UPSCALE_FUNCTION)
_ADDRESS_SPACE_OF_CUDA = 1 << 46
"""It reserves addresses for the memory of every GPU and of the machine, so a limit on them would say nothing."""
_USAGE = """python -m gpu.render VIDEO [VIDEO ...] --spec FILE -o FILE [--kind KIND] [--engine ENGINE]
       python -m gpu.render probe VIDEO
       python -m gpu.render --request FUNCTION [--nice N] < request.json"""


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    os.nice(options.nice)
    try:
        return _run(parser, options)
    except MediaFailure as failure:
        print(f"{failure.code}: {failure.message}", file=sys.stderr)
    except OSError as error:
        reason = error.strerror or str(error)
        print(reason if error.filename is None else f"{error.filename}: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gpu.render", usage=_USAGE, description="Probes and renders videos."
    )
    parser.add_argument("words", nargs="*", metavar="VIDEO", help="the spec's sources in their order")
    parser.add_argument("--spec", type=Path, metavar="FILE", help="EditSpec as JSON")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="the MP4 to write")
    parser.add_argument("--kind", choices=get_args(RenderKind), default="framing", help="default: %(default)s")
    parser.add_argument(
        "--engine", choices=ENGINES, default="auto", help="used if it can make this render; default: %(default)s"
    )
    parser.add_argument("--request", choices=FUNCTIONS, metavar="FUNCTION", help=", ".join(FUNCTIONS))
    parser.add_argument(
        "--nice", type=int, default=0, metavar="N", help="lower the priority, of all processes it starts"
    )
    return parser


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    match options:
        case argparse.Namespace(request=str(function), words=[], spec=None, out=None):
            return _answer(function)
        case argparse.Namespace(request=None, words=["probe", video], spec=None, out=None):
            return _probe(Path(video))
        case argparse.Namespace(request=None, words=[_, *_], spec=Path(), out=Path()):
            return _render(options)
        case _:
            parser.print_usage(sys.stderr)
            return 2


def _answer(function: str) -> int:
    from gpu.functions.table import FUNCTIONS
    from gpu.render.limits import limited
    from gpu.render.progress import Publisher

    with Publisher(lambda progress: _say("progress", progress), PROGRESS_SECONDS) as publisher:
        response = FUNCTIONS[function].answer(sys.stdin.buffer.read(), publisher.report, limited(_limits(function)))
    _say("response", response)
    return 0


def _limits(function: str) -> "Limits":
    from dataclasses import replace

    from gpu.render.limits import PROBE, RENDER

    if function == PROBE_FUNCTION:
        return PROBE
    on_cuda = function in _NETWORKS and find_spec("torch") is not None
    return replace(RENDER, memory_bytes=_ADDRESS_SPACE_OF_CUDA) if on_cuda else RENDER


def _probe(video: Path) -> int:
    from gpu.render.produce import probe_file

    with video.open("rb") as file:
        print(probe_file(file).model_dump_json(indent=2))
    return 0


def _render(options: argparse.Namespace) -> int:
    from gpu.functions.function import parse
    from gpu.render.local import render_local
    from gpu.render.progress import Meter, Publisher

    spec = parse(EditSpec, _text_of(options.spec))
    meter = Meter(sys.stderr)
    try:
        with Publisher(meter, PROGRESS_SECONDS) as publisher:
            videos = [Path(word) for word in options.words]
            result = render_local(videos, options.kind, spec, options.out, publisher.report, options.engine)
    finally:
        meter.finish()
    print(result.model_dump_json(indent=2))
    return 0


def _text_of(path: Path) -> str:
    """Windows editors begin UTF-8 with a mark, which is no part of JSON."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MediaFailure("bad_spec", f"{path} is not UTF-8 text: byte {error.start} does not belong there") from error


def _say(kind: str, message: Value) -> None:
    print(json.dumps({"type": kind, **message.model_dump(mode="json")}), flush=True)


def _stop(number: int, _: FrameType | None) -> None:
    """Ends the command as if it exited, so that every temporary file is removed; a second signal changes nothing."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

"""Media functions as commands.

`probe` and `render` take a request as JSON on stdin and answer in JSON lines on stdout: progress, then one response;
they end with 0 when there is a response, be it an error. `probe-file` and `file` are for people. Logs go to stderr.
"""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

from gpu.contract import ProbeRequest, ProbeResponse, RenderProgress, RenderRequest, RenderResponse
from gpu.plan.spec import EditSpec
from gpu.render.errors import MediaFailure

PROGRESS_SECONDS = 0.1


def main() -> int:
    options = _parser().parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        return int(options.run(options))
    except MediaFailure as failure:
        print(f"{failure.code}: {failure.message}", file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu.render", description="Probes and renders videos.")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    verbs.add_parser("probe", help="ProbeRequest on stdin, response on stdout").set_defaults(run=_probe)
    verbs.add_parser("render", help="RenderRequest on stdin, progress and response on stdout").set_defaults(run=_render)
    probe_file = verbs.add_parser("probe-file", help="facts of a local video")
    probe_file.add_argument("video", type=Path)
    probe_file.set_defaults(run=_probe_file)
    file = verbs.add_parser("file", help="render a local video to a local file")
    file.add_argument("video", type=Path)
    file.add_argument("--spec", type=Path, required=True, help="EditSpec as JSON")
    file.add_argument("-o", "--out", type=Path, required=True)
    file.set_defaults(run=_render_file)
    return parser


def _probe(_: argparse.Namespace) -> int:
    from gpu.render.job import parse, run_probe
    from gpu.render.limits import PROBE, limited

    try:
        request = parse(ProbeRequest, sys.stdin.read())
        with limited(PROBE):
            response = run_probe(request)
    except MediaFailure as failure:
        response = ProbeResponse(error=failure.error)
    _say("response", response)
    return 0


def _render(_: argparse.Namespace) -> int:
    from gpu.render.job import parse, run_render
    from gpu.render.limits import RENDER, limited
    from gpu.render.progress import Publisher

    try:
        request = parse(RenderRequest, sys.stdin.read())
        with limited(RENDER), Publisher(lambda progress: _say("progress", progress), PROGRESS_SECONDS) as publisher:
            response = run_render(request, publisher.report)
    except MediaFailure as failure:
        response = RenderResponse(error=failure.error)
    _say("response", response)
    return 0


def _probe_file(options: argparse.Namespace) -> int:
    from gpu.render.produce import probe_file

    with options.video.open("rb") as file:
        print(probe_file(file).model_dump_json(indent=2))
    return 0


def _render_file(options: argparse.Namespace) -> int:
    from gpu.render.job import parse
    from gpu.render.local import render_local
    from gpu.render.progress import Publisher

    spec = parse(EditSpec, options.spec.read_text())
    with Publisher(_show, PROGRESS_SECONDS) as publisher:
        result = render_local(options.video, spec, options.out, publisher.report)
    print(file=sys.stderr)
    print(result.model_dump_json(indent=2))
    return 0


def _say(kind: str, message: ProbeResponse | RenderResponse | RenderProgress) -> None:
    print(json.dumps({"type": kind, **message.model_dump(mode="json")}), flush=True)


def _show(progress: RenderProgress) -> None:
    line = f"\r{progress.phase:<10} {progress.frames_done:>6} / {progress.frames_total} frames"
    print(line, end="", file=sys.stderr, flush=True)


def _stop(number: int, _: FrameType | None) -> None:
    """Ends the command as if it exited, so that every temporary file is removed; a second signal changes nothing."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

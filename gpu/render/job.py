"""Answers one probe or render request: the same request writes the same object, and only a whole one is published.

A MediaFailure becomes a response; any other exception is a fault of ours or of the machine and goes to the caller.
"""

import tempfile
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from gpu.contract import ProbeRequest, ProbeResponse, RenderRequest, RenderResponse, RenderResult
from gpu.plan.spec import Value
from gpu.render.errors import MediaFailure
from gpu.render.hosts import check_host
from gpu.render.output import upload
from gpu.render.produce import OnProgress, Reporter, probe_file, produce
from gpu.render.source import HttpSource

Request = TypeVar("Request", bound=Value)


def parse(kind: type[Request], request: object) -> Request:
    """Takes a dict, or a string of JSON.

    Raises MediaFailure `bad_spec` that names every wrong field, without the values: URLs among them are secrets.
    """
    try:
        return kind.model_validate_json(request) if isinstance(request, str) else kind.model_validate(request)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc'])) or 'request'}: {one['msg']}" for one in error.errors())
        raise MediaFailure("bad_spec", "; ".join(faults)) from None


def run_probe(request: ProbeRequest) -> ProbeResponse:
    """Reads the source by HTTP ranges: its index, its start, and where there is no index its end."""
    try:
        check_host(request.source_url, "source_unreachable")
        with HttpSource(request.source_url) as source:
            return ProbeResponse(info=probe_file(source, source.abort))
    except MediaFailure as failure:
        return ProbeResponse(error=failure.error)


def run_render(request: RenderRequest, on_progress: OnProgress) -> RenderResponse:
    """Renders, checks, then publishes; an exception or a signal leaves neither an object nor a temporary file."""
    try:
        return RenderResponse(result=_render(request, on_progress))
    except MediaFailure as failure:
        return RenderResponse(error=failure.error)


def _render(request: RenderRequest, on_progress: OnProgress) -> RenderResult:
    check_host(request.source_url, "source_unreachable")
    check_host(request.output_url, "output_refused")
    report = Reporter(on_progress, request.spec.out_frame - request.spec.in_frame)
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        path = Path(folder) / "result.mp4"
        with HttpSource(request.source_url) as source:
            result = produce(source, request.kind, request.spec, path, on_progress, source.abort)
        report("uploading", result.frame_count)
        upload(path, request.output_url)
        return result

"""Tells what a media file is."""

from gpu.contract import ProbeRequest, ProbeResponse
from gpu.functions.function import Function
from gpu.functions.work import check_hosts, probe_url
from gpu.render.produce import OnProgress


def _probe(request: ProbeRequest, _: OnProgress) -> ProbeResponse:
    check_hosts([request.source_url], [])
    return ProbeResponse(info=probe_url(request.source_url))


PROBE = Function(ProbeRequest, ProbeResponse, _probe)

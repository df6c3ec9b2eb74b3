"""Makes one video of an edit."""

from gpu.contract import VIDEO_TYPE, RenderRequest, RenderResponse
from gpu.functions.function import Function
from gpu.functions.work import check_hosts, temporary_folder
from gpu.render.errors import MediaFailure
from gpu.render.output import upload
from gpu.render.produce import OnProgress, Reporter, produce
from gpu.render.sources import HttpSources


def _render(request: RenderRequest, on_progress: OnProgress) -> RenderResponse:
    check_hosts(request.source_urls, [request.output_url])
    if (needed := max(clip.source for clip in request.spec.clips) + 1) > len(request.source_urls):
        raise MediaFailure("bad_spec", f"the clips need {needed} sources, {len(request.source_urls)} are given")
    with temporary_folder() as folder:
        path = folder / "result.mp4"
        result = produce(HttpSources(request.source_urls), request.kind, request.spec, path, on_progress)
        Reporter(on_progress, result.frame_count)("uploading", result.frame_count)
        upload(path, request.output_url, VIDEO_TYPE)
        return RenderResponse(result=result)


RENDER = Function(RenderRequest, RenderResponse, _render)

"""Makes what the editor needs beside a source: a proxy, a storyboard or the peaks of its waveform."""

from pathlib import Path

from gpu.contract import (
    JSON_TYPE,
    PEAKS_TYPE,
    SHEET_TYPE,
    VIDEO_TYPE,
    DeriveRequest,
    DeriveResponse,
    FrameRange,
    PeaksWork,
    ProxyWork,
    StoryboardWork,
    storyboard_sheets,
)
from gpu.functions.function import Function
from gpu.functions.work import check_hosts, rendering, temporary_folder
from gpu.plan.spec import ProbeInfo
from gpu.render.errors import MediaFailure
from gpu.render.output import upload
from gpu.render.produce import OnProgress, Reporter, probe_file
from gpu.render.source import HttpSource


def _derive(request: DeriveRequest, on_progress: OnProgress) -> DeriveResponse:
    work = request.work
    outputs = [*work.sheet_urls, work.index_url] if isinstance(work, StoryboardWork) else [work.output_url]
    check_hosts([request.source_url], outputs)
    report = Reporter(on_progress)
    report("reading", 0)
    with temporary_folder() as folder, HttpSource(request.source_url) as source:
        info = probe_file(source, source.abort)
        source.seek(0)
        report.frames_total = _span(work.frames, info) if isinstance(work, ProxyWork) else info.frame_count
        if isinstance(work, ProxyWork):
            return _proxy(work, source, folder / "proxy.mp4", report)
        if isinstance(work, PeaksWork):
            return _peaks(work, source, folder / "peaks.dat", report)
        if (needed := storyboard_sheets(info)) > len(work.sheet_urls):
            reason = f"the storyboard takes {needed} sheets, {len(work.sheet_urls)} addresses are given"
            raise MediaFailure("bad_spec", reason)
        return _storyboard(work, source, folder / "storyboard", report)


def _proxy(work: ProxyWork, source: HttpSource, path: Path, report: Reporter) -> DeriveResponse:
    from gpu.derive.proxy import write_proxy

    frames = range(work.frames.in_frame, work.frames.out_frame) if work.frames else None
    facts = write_proxy(source, path, frames, rendering(report), source.abort)
    report("uploading", report.frames_total)
    upload(path, work.output_url, VIDEO_TYPE)
    return DeriveResponse(result=facts)


def _peaks(work: PeaksWork, source: HttpSource, path: Path, report: Reporter) -> DeriveResponse:
    from gpu.derive.peaks import write_peaks

    facts = write_peaks(source, path, rendering(report), source.abort)
    report("uploading", report.frames_total)
    upload(path, work.output_url, PEAKS_TYPE)
    return DeriveResponse(result=facts)


def _storyboard(work: StoryboardWork, source: HttpSource, folder: Path, report: Reporter) -> DeriveResponse:
    """The index comes last: who finds it finds the sheets that it names."""
    from gpu.derive.storyboard import INDEX_NAME, write_storyboard

    storyboard = write_storyboard(source, folder, rendering(report), source.abort)
    report("uploading", report.frames_total)
    for name, url in zip(storyboard.sheets, work.sheet_urls, strict=False):
        upload(folder / name, url, SHEET_TYPE)
    upload(folder / INDEX_NAME, work.index_url, JSON_TYPE)
    return DeriveResponse(result=storyboard)


def _span(frames: FrameRange | None, info: ProbeInfo) -> int:
    return info.frame_count if frames is None else frames.out_frame - frames.in_frame


DERIVE = Function(DeriveRequest, DeriveResponse, _derive)

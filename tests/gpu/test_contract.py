"""What both sides import: light, lenient towards what was stored before, strict towards what is no request."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from gpu import contract
from gpu.contract import DeriveRequest, DeriveResponse, RenderResult, StoryboardWork, storyboard_sheets
from gpu.derive import storyboard
from gpu.derive.facts import PeaksFacts
from gpu.plan.spec import ProbeInfo

HEAVY = (
    "av",
    "cv2",
    "numpy",
    "torch",
    "modal",
    "gpu.render",
    "gpu.derive.storyboard",
    "gpu.track",
    "gpu.upscale.choose",
)


def probe(frame_count: int, fps_num: int = 30, fps_den: int = 1) -> ProbeInfo:
    return ProbeInfo(
        width=1920,
        height=1080,
        rotation=0,
        fps_num=fps_num,
        fps_den=fps_den,
        frame_count=frame_count,
        duration_ms=frame_count * 1000 * fps_den // fps_num,
        video_codec="h264",
        pixel_format="yuv420p",
    )


def test_importing_it_loads_no_media_library() -> None:
    code = f"import sys, gpu.contract; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_result_stored_before_there_were_reasons_is_read() -> None:
    stored = {
        "width": 1080, "height": 1920, "fps_num": 30, "fps_den": 1, "frame_count": 3, "duration_ms": 100,
        "audio_duration_ms": None, "size_bytes": 5, "sha256": "0" * 64, "engine": "pyav-1", "plan_sha256": "1" * 64,
    }  # fmt: skip
    assert RenderResult.model_validate(stored).engine_reason == ""


@pytest.mark.parametrize(
    ("info", "sheets"),
    [
        (probe(1), 1),
        (probe(100 * 120), 1),
        (probe(100 * 120 + 1), 2),
        (probe(100 * 120, 30_000, 1001), 2),
        (probe(2 * 3600 * 30), 18),
    ],
)
def test_a_storyboard_takes_a_sheet_for_every_hundred_entries(info: ProbeInfo, sheets: int) -> None:
    assert storyboard_sheets(info) == sheets


def test_the_contract_counts_as_the_storyboard_does() -> None:
    assert contract.STORYBOARD_INTERVAL_MS == storyboard.INTERVAL_MS
    assert storyboard.COLUMNS * storyboard.ROWS == contract.STORYBOARD_CELLS


def test_the_work_is_told_by_its_kind() -> None:
    given = {"kind": "storyboard", "sheet_urls": ["https://x/0"], "index_url": "https://x/i"}
    request = DeriveRequest.model_validate({"progress_key": "k", "source_url": "https://x/s", "work": given})
    assert isinstance(request.work, StoryboardWork)
    with pytest.raises(ValidationError):
        DeriveRequest.model_validate(
            {"progress_key": "k", "source_url": "https://x/s", "work": {**given, "kind": "proxy"}}
        )


def test_a_derived_result_keeps_its_kind_on_the_way() -> None:
    facts = PeaksFacts(
        sample_rate=48_000, samples_per_bucket=480, bucket_count=1, has_sound=True, size_bytes=26, sha256="0" * 64
    )
    sent = DeriveResponse(result=facts).model_dump(mode="json")
    assert DeriveResponse.model_validate(sent).result == facts

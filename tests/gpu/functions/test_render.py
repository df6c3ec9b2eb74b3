"""Renders over HTTP: what is published, and what is not."""

from pathlib import Path
from typing import Any

import pytest

from gpu.contract import RenderKind, RenderProgress, RenderRequest, RenderResponse
from gpu.functions.render import RENDER
from gpu.functions.work import probe_url
from gpu.plan.spec import EditSpec
from gpu.render import gates, source
from gpu.render.hosts import VARIABLE
from tests.gpu.render.rendering import panning
from tests.gpu.render.storage import SIGNATURE, Storage


def request(storage: Storage, spec: EditSpec, kind: RenderKind = "framing") -> RenderRequest:
    return RenderRequest(
        progress_key="export-1",
        kind=kind,
        spec=spec,
        source_urls=(storage.url("game.mp4"),),
        output_url=storage.url("reel.mp4"),
    )


def run(wanted: RenderRequest) -> RenderResponse:
    return RENDER.answer(wanted)


def test_a_render_is_published_as_measured(stored: Storage, tmp_path: Path) -> None:
    response = run(request(stored, panning(10, 40)))
    assert response.error is None
    assert response.result is not None
    assert response.result.size_bytes == len(stored.objects["reel.mp4"])
    assert list(tmp_path.iterdir()) == []


def test_the_same_request_publishes_the_same_object(stored: Storage) -> None:
    results = [run(request(stored, panning(10, 90))).result for _ in range(2)]
    assert results[0] == results[1]


def test_progress_goes_forward_through_the_phases(stored: Storage) -> None:
    seen: list[RenderProgress] = []
    RENDER.answer(request(stored, panning(0, 30)), seen.append)
    assert list(dict.fromkeys(one.phase for one in seen)) == ["reading", "rendering", "uploading"]
    assert [one.frames_done for one in seen] == [0, *range(1, 31), 30]
    assert [one.frames_total for one in seen] == [0, *[30] * 31]


def test_an_edit_that_does_not_fit_is_refused_with_all_mistakes(stored: Storage) -> None:
    response = run(request(stored, EditSpec.of_clip(in_frame=0, out_frame=121)))
    assert response.error is not None
    assert (response.error.code, "reel.mp4" in stored.objects) == ("bad_spec", False)
    assert "120 frames" in response.error.message


def test_an_extraction_takes_no_crop(stored: Storage) -> None:
    response = run(request(stored, panning(0, 30), "extract"))
    assert response.error is not None
    assert response.error.code == "bad_spec"


def test_a_file_that_fails_its_checks_is_not_published(
    stored: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "_has_index_first", lambda path: False)
    response = run(request(stored, panning(0, 30)))
    assert response.error is not None
    assert response.error.code == "internal"
    assert "reel.mp4" not in stored.objects
    assert list(tmp_path.iterdir()) == []


def test_a_refused_result_leaves_nothing(stored: Storage, tmp_path: Path) -> None:
    original = stored.faults
    assert original == []
    response = RENDER.answer(
        request(stored, panning(0, 30)),
        lambda progress: stored.faults.append(403) if progress.phase == "uploading" else None,
    )
    assert response.error is not None
    assert response.error.code == "output_refused"
    assert SIGNATURE not in response.error.message
    assert list(tmp_path.iterdir()) == []


class Vanishing(dict[str, bytes]):
    """Objects that are there for `reads` GETs."""

    reads = 0

    def get(self, name: str, default: Any = None) -> Any:
        self.reads -= 1
        return super().get(name, default) if self.reads >= 0 else default


def test_a_source_that_fails_midway_is_reported(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 20_000)
    probe_url(stored.url("game.mp4"))
    stored.objects = objects = Vanishing(stored.objects)
    objects.reads = len(stored.requests) + 2
    response = run(request(stored, EditSpec.of_clip(in_frame=0, out_frame=120)))
    assert response.error is not None
    assert (response.error.code, list(stored.objects)) == ("source_unreachable", ["game.mp4"])


@pytest.mark.parametrize(("field", "code"), [("source_urls", "source_unreachable"), ("output_url", "output_refused")])
def test_a_host_that_is_not_listed_is_not_called(
    stored: Storage, monkeypatch: pytest.MonkeyPatch, field: str, code: str
) -> None:
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    other = f"http://127.0.0.1:9/x?{SIGNATURE}"
    update = {field: (other,) if field == "source_urls" else other}
    wanted = request(stored, panning(0, 30)).model_copy(update=update)
    response = run(wanted)
    assert response.error is not None
    assert response.error.code == code
    assert "MEDIA_HOSTS" in response.error.message
    assert stored.requests == []


def test_a_listed_host_is_called(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    assert run(request(stored, panning(0, 5))).error is None


def test_an_error_of_ours_is_no_response(stored: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> gates.Measured:
        raise ZeroDivisionError

    monkeypatch.setattr(gates, "measure", broken)
    with pytest.raises(ZeroDivisionError):
        run(request(stored, panning(0, 5)))
    assert list(tmp_path.iterdir()) == []

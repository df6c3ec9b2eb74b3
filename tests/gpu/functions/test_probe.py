"""Probing over HTTP."""

from gpu.contract import ProbeRequest
from gpu.functions.probe import PROBE
from tests.gpu.render.storage import Storage


def test_a_probe_answers_with_facts(stored: Storage) -> None:
    response = PROBE.answer(ProbeRequest(source_url=stored.url("game.mp4")))
    assert response.error is None
    assert response.info is not None
    assert response.info.frame_count == 120

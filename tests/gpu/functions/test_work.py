"""What the functions do alike."""

import pytest

from gpu.render.hosts import VARIABLE
from tests.gpu.functions.asking import derive, track, upscale
from tests.gpu.render.storage import SIGNATURE, Storage
from tests.gpu.render.videos import HEIGHT, WIDTH


def test_every_address_of_a_request_is_checked(stored: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.1:9")
    codes = [
        derive(stored, {"kind": "peaks", "output_url": stored.url("peaks.dat")}).error,
        track(stored).error,
        upscale(stored, 2 * WIDTH, 2 * HEIGHT).error,
    ]
    assert [error and error.code for error in codes] == ["source_unreachable"] * 3
    monkeypatch.setenv(VARIABLE, f"127.0.0.1:{stored.port}")
    other = f"http://127.0.0.1:9/x?{SIGNATURE}"
    work = {"kind": "storyboard", "sheet_urls": [stored.url("0"), other], "index_url": stored.url("index")}
    refused = derive(stored, work)
    assert refused.error is not None
    assert refused.error.code == "output_refused"
    assert stored.requests == []

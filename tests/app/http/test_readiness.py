import asyncio
from types import SimpleNamespace

import pytest

from app.http import readiness
from app.http.readiness import NotReadyError, Readiness
from app.kit.errors import UnavailableError
from tests.app.backend import Backend


async def test_ready_names_its_checks(backend: Backend) -> None:
    assert await backend.client.get("/api/ready") == {"status": "ready", "checks": {"storage": "ok", "renderer": "ok"}}


async def test_not_ready_says_what_is_wrong(backend: Backend) -> None:
    backend.renderer.unavailable = True
    problem = await backend.client.get("/api/ready", 503)
    assert problem["code"] == "not_ready"
    assert problem["detail"] == "renderer: no worker"


async def test_the_answer_is_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: now))
    asked = []

    async def check() -> None:
        asked.append(1)

    ready = Readiness({"a": check})
    await asyncio.gather(*(ready.require() for _ in range(5)))
    assert len(asked) == 1
    now = 1.9
    await ready.require()
    assert len(asked) == 1
    now = 2.1
    await ready.require()
    assert len(asked) == 2


async def test_a_silent_or_broken_check_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_PATIENCE_S", 0.01)

    async def silent() -> None:
        await asyncio.sleep(60)

    async def broken() -> None:
        raise ValueError("with a secret")

    async def refused() -> None:
        raise UnavailableError("try later")

    with pytest.raises(NotReadyError) as caught:
        await Readiness({"silent": silent, "broken": broken, "refused": refused}).require()
    assert "secret" not in str(caught.value)
    assert "broken: ValueError" in str(caught.value)
    assert "refused: try later" in str(caught.value)

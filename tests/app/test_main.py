import os
import subprocess
import sys

import pytest

import app.main
from tests.app.backend import ENVIRONMENT, Backend
from tests.app.waiting import PATIENCE_S

HEAVY = ("boto3", "botocore", "modal", "httpx", "uvicorn")


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_importing_the_app_loads_nothing_heavy_and_needs_no_environment() -> None:
    script = f"import sys, app.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = run("-c", script)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_a_wrong_environment_ends_the_command_with_one_message() -> None:
    done = run("-m", "app", PORT="x", R2_SECRET_ACCESS_KEY="very-hidden")
    assert done.returncode == 2
    assert "APP_ENV is missing" in done.stderr
    assert "PORT is 'x'" in done.stderr
    assert "very-hidden" not in done.stderr
    assert "Traceback" not in done.stderr


def test_uvicorn_finds_the_application_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    try:
        assert app.main.app is app.main.app
    finally:
        vars(app.main).pop("app", None)


def test_other_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="application"):
        _ = app.main.application


async def test_the_schema_has_every_call_and_answers_errors_with_problems(backend: Backend) -> None:
    schema = await backend.client.get("/api/openapi.json")
    calls = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert calls == {
        "GET /api/health",
        "GET /api/ready",
        "GET /api/me",
        "POST /api/media",
        "GET /api/media",
        "GET /api/media/{media_id}",
        "POST /api/media/{media_id}/part-urls",
        "POST /api/media/{media_id}/complete",
        "DELETE /api/media/{media_id}/upload",
        "GET /api/media/{media_id}/url",
        "POST /api/games",
        "GET /api/games",
        "GET /api/games/{game_id}",
        "POST /api/clips",
        "GET /api/games/{game_id}/clips",
        "GET /api/clips/{clip_id}",
        "PATCH /api/clips/{clip_id}",
        "DELETE /api/clips/{clip_id}",
        "POST /api/projects",
        "GET /api/projects",
        "GET /api/projects/{project_id}",
        "PUT /api/projects/{project_id}/clip-edits/{edit_id}/crop-keyframes/{frame}",
        "DELETE /api/projects/{project_id}/clip-edits/{edit_id}/crop-keyframes/{frame}",
        "POST /api/exports",
        "GET /api/exports",
        "GET /api/exports/{export_id}",
        "POST /api/exports/{export_id}/cancel",
        "POST /api/exports/{export_id}/retry",
        "GET /api/reels",
        "GET /api/reels/{reel_id}",
        "GET /api/reels/{reel_id}/download",
        "DELETE /api/reels/{reel_id}",
        "DELETE /api/exports/{export_id}",
        "DELETE /api/projects/{project_id}",
        "DELETE /api/games/{game_id}",
        "DELETE /api/media/{media_id}",
    }
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert "Problem" in schema["components"]["schemas"]

"""The ASGI application. `app` is built when first asked for, so that importing this module needs no environment."""

import logging
import os
from logging.config import dictConfig
from typing import Any

from fastapi import FastAPI

from app.clips import routes as clips
from app.exports import routes as exports
from app.exports import socket as export_socket
from app.games import routes as games
from app.http import middleware, problems, service_routes
from app.logs import log_config
from app.media import routes as media
from app.projects import routes as projects
from app.reels import routes as reels
from app.settings import Settings, load_settings
from app.version import version
from app.wiring import Backend, Outside, outside

ROUTED = (service_routes, media, games, clips, projects, exports, export_socket, reels)


def create_app(settings: Settings, around: Outside | None = None) -> FastAPI:
    """`around` replaces R2 and the renderer in tests."""
    backend = Backend(settings, around or outside(settings))
    app = FastAPI(
        title="Reel Ballers",
        version=version(),
        lifespan=backend.lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={"default": {"model": problems.Problem, "description": "Problem document (RFC 9457)"}},
    )
    app.state.container = backend.container
    problems.install(app)
    middleware.install(app, settings)
    for room in ROUTED:
        app.include_router(room.router)
    return app


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- what a module attribute is
    """`uvicorn app.main:app` (PEP 562)."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = load_settings(os.environ)
    if not logging.getLogger().handlers:
        dictConfig(log_config(debug=settings.debug))
    return globals().setdefault("app", create_app(settings))

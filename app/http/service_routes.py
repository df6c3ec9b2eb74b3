"""Routes about the process itself and its caller."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from starlette.responses import PlainTextResponse

from app.http.container import provide
from app.http.dependencies import CurrentOwner
from app.http.readiness import Readiness
from app.kit.metrics import render_all
from app.kit.schema import Response
from app.settings import Settings
from app.version import version

router = APIRouter(tags=["service"])


class Health(Response):
    status: Literal["ok"] = "ok"
    version: str
    environment: str


class Ready(Response):
    status: Literal["ready"] = "ready"
    checks: dict[str, str]


class Me(Response):
    user_id: str
    profile_id: str
    environment: str


@router.get("/api/health")
async def health(settings: Annotated[Settings, Depends(provide(Settings))]) -> Health:
    """Alive; touches nothing outside the process."""
    return Health(version=version(), environment=settings.app_env)


@router.get("/api/ready")
async def ready(readiness: Annotated[Readiness, Depends(provide(Readiness))]) -> Ready:
    return Ready(checks=await readiness.require())


@router.get("/api/me")
async def me(owner: CurrentOwner, settings: Annotated[Settings, Depends(provide(Settings))]) -> Me:
    return Me(user_id=owner.user_id, profile_id=owner.profile_id, environment=settings.app_env)


@router.get("/metrics", include_in_schema=False)
async def metrics() -> PlainTextResponse:
    """Numbers of this process; nothing in them names a user."""
    return PlainTextResponse(render_all(), media_type="text/plain; version=0.0.4")

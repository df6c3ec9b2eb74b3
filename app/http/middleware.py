"""The order of the middleware, from the outside in: CORS, log and error boundary, body limit, user context, library."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.http.body_limit import BodyLimit
from app.http.library_context import LibraryContext
from app.http.origins import Origins, cors
from app.http.request_log import RequestLog
from app.http.startup_message import StartupMessage
from app.http.user_context import UserContext
from app.http.verify_token import VerifyToken
from app.settings import Settings


def install(app: FastAPI, settings: Settings) -> None:
    """All are plain ASGI classes: BaseHTTPMiddleware costs a multiple of the request itself."""
    origins = Origins(settings.cors_origins)
    app.user_middleware = [
        Middleware(StartupMessage),
        Middleware(cors, origins),
        Middleware(RequestLog, verbose_errors=settings.env == "development"),
        Middleware(BodyLimit),
        Middleware(UserContext, origins, VerifyToken(settings), trust_headers=settings.is_development),
        Middleware(LibraryContext),
    ]

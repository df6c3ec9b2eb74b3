"""The environment becomes one typed Settings, or one message that names every mistake and prints no secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.settings_reader import Reader, SettingsError

__all__ = ["ModalSettings", "R2Settings", "Settings", "SettingsError", "load_settings"]

Verbosity = Literal["development", "staging", "production"]
VERBOSITIES: tuple[Verbosity, ...] = ("development", "staging", "production")
MIN_VERIFY_TOKEN_LENGTH = 32
DEVELOPMENT_ORIGINS = ("http://localhost:5173", "http://localhost:3000")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class R2Settings:
    """One bucket of R2 by its S3 API; `endpoint` has no path."""

    endpoint: str
    bucket: str
    access_key_id: str
    secret_access_key: SecretStr


@dataclass(frozen=True)
class ModalSettings:
    """The Modal client reads token and server from the environment itself; the environment's name is passed on."""

    environment: str | None


@dataclass(frozen=True)
class Settings:
    """Everything that the process takes from outside; built once, passed in.

    `app_env` is any label: which data this is, and whether callers are trusted. `env`: what errors tell callers.
    """

    env: Verbosity
    app_env: str
    debug: bool
    host: str
    port: int
    cors_origins: tuple[str, ...]
    r2: R2Settings
    modal: ModalSettings | None
    clear_pending_jobs_on_startup: bool
    web_concurrency: int
    verify_token: SecretStr | None
    stripe_secret_key: SecretStr | None
    stripe_webhook_secret: SecretStr | None
    redis_url: SecretStr | None

    @property
    def is_development(self) -> bool:
        return self.app_env == "development"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Raises SettingsError that lists every missing, wrong or contradictory variable."""
    read = Reader(environment)
    app_env = _app_env(read)
    settings = Settings(
        env=read.choice("ENV", VERBOSITIES, default=_verbosity(app_env)),
        app_env=app_env,
        debug=read.flag("DEBUG", default=False),
        host=read.text("HOST", default="127.0.0.1"),
        port=read.integer("PORT", default=8080, low=0, high=65535),
        cors_origins=_cors_origins(read, app_env),
        r2=_r2(read),
        modal=_modal(read),
        clear_pending_jobs_on_startup=read.flag("CLEAR_PENDING_JOBS_ON_STARTUP", default=False),
        web_concurrency=read.integer("WEB_CONCURRENCY", default=1, low=1, high=64),
        verify_token=_verify_token(read),
        stripe_secret_key=read.secret("STRIPE_SECRET_KEY"),
        stripe_webhook_secret=read.secret("STRIPE_WEBHOOK_SECRET"),
        redis_url=read.secret("REDIS_URL"),
    )
    _refuse_contradictions(read, settings)
    read.raise_mistakes()
    return settings


def _app_env(read: Reader) -> str:
    label = read.text("APP_ENV")
    if label and not _LABEL.fullmatch(label):
        read.mistake("APP_ENV", f"is {label!r}; write 1-58 of a-z, 0-9 and '-', such as development or staging")
        label = ""
    # Nobody uses what follows a mistake; development complains least about the rest.
    return label or "development"


def _verbosity(app_env: str) -> Verbosity:
    """An environment that is not known tells callers as little as production does."""
    return next((known for known in VERBOSITIES if known == app_env), "production")


def _verify_token(read: Reader) -> SecretStr | None:
    token = read.secret("VERIFY_TOKEN")
    value = token.get_secret_value() if token else ""
    if token and (len(value) < MIN_VERIFY_TOKEN_LENGTH or not _VISIBLE.fullmatch(value)):
        read.mistake("VERIFY_TOKEN", f"must be {MIN_VERIFY_TOKEN_LENGTH} or more visible ASCII characters")
    return token


def _cors_origins(read: Reader, app_env: str) -> tuple[str, ...]:
    development = app_env == "development"
    text = read.text("CORS_ORIGINS", default="" if development else None)
    origins = [origin.strip() for origin in text.split(",") if origin.strip()]
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
            read.mistake(
                "CORS_ORIGINS", f"{origin!r} is no origin; write it as https://app.example.com, without a path"
            )
        elif parts.hostname == "*" or "*" in parts.hostname.removeprefix("*."):
            read.mistake(
                "CORS_ORIGINS", f"{origin!r}: a star may only stand for the first label (https://*.PROJECT.pages.dev)"
            )
        elif parts.hostname.startswith("*.") and parts.hostname.count(".") < 3:
            read.mistake("CORS_ORIGINS", f"{origin!r} lets other people's sites in too; name your own project's")
        elif parts.hostname in _LOOPBACK and not development:
            read.mistake("CORS_ORIGINS", f"{origin!r} is only for APP_ENV=development")
    if development:
        origins += DEVELOPMENT_ORIGINS
    return tuple(dict.fromkeys(origins))


def _r2(read: Reader) -> R2Settings:
    if not read.flag("R2_ENABLED", default=True):
        read.mistake(
            "R2_ENABLED", "false is not possible: libraries and media live in R2 (`make up` starts a local one)"
        )
    endpoint = read.text("R2_ENDPOINT", alias="R2_ENDPOINT_URL").rstrip("/")
    parts = urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path):
        read.mistake("R2_ENDPOINT", f"{endpoint!r} is no address like https://<account>.r2.cloudflarestorage.com")
    elif parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        read.mistake("R2_ENDPOINT", f"{endpoint!r} sends media in clear; use https, http is for loopback only")
    return R2Settings(
        endpoint=endpoint,
        bucket=read.text("R2_BUCKET", alias="R2_BUCKET_NAME"),
        access_key_id=read.text("R2_ACCESS_KEY_ID"),
        secret_access_key=read.secret("R2_SECRET_ACCESS_KEY", required=True) or SecretStr(""),
    )


def _modal(read: Reader) -> ModalSettings | None:
    if not read.flag("MODAL_ENABLED", default=False):
        return None
    read.text("MODAL_TOKEN_ID")
    read.secret("MODAL_TOKEN_SECRET", required=True)
    return ModalSettings(environment=read.text("MODAL_ENVIRONMENT", default="") or None)


def _refuse_contradictions(read: Reader, settings: Settings) -> None:
    if not settings.is_development:
        if settings.env == "development":
            read.mistake("ENV", f"development tells callers about errors; APP_ENV is {settings.app_env}")
        if settings.debug:
            read.mistake("DEBUG", f"true is only for APP_ENV=development, not {settings.app_env}")
        if settings.clear_pending_jobs_on_startup:
            read.mistake(
                "CLEAR_PENDING_JOBS_ON_STARTUP", f"true would lose jobs of {settings.app_env}; set it to false"
            )
        for name in ("R2_SECRET_ACCESS_KEY", "MODAL_TOKEN_SECRET", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
            read.refuse_placeholder(name)
    _refuse_wrong_stripe(read, settings)
    redis = settings.redis_url.get_secret_value() if settings.redis_url else "redis://"
    if not redis.startswith(("redis://", "rediss://")):
        read.mistake("REDIS_URL", "must begin with redis:// or rediss://")


def _refuse_wrong_stripe(read: Reader, settings: Settings) -> None:
    if (settings.stripe_secret_key is None) != (settings.stripe_webhook_secret is None):
        read.mistake("STRIPE_SECRET_KEY", "and STRIPE_WEBHOOK_SECRET belong together; set both or none")
    if settings.stripe_secret_key is None:
        return
    live = settings.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_"))
    if live != (settings.app_env == "production"):
        kind = "a live" if live else "a test"
        read.mistake("STRIPE_SECRET_KEY", f"is {kind} key in {settings.app_env}; live keys are for production only")

"""`python -m app`: serve the API as the environment says; a wrong environment exits with 2 and one message."""

import asyncio
import logging
import os
import sys
from logging.config import dictConfig

import uvicorn

from app.kit.errors import AppError
from app.kit.leave import leave
from app.logs import log_config
from app.settings import Settings, SettingsError, load_settings
from app.storage.keys import Keys
from app.storage.r2 import open_r2
from app.storage.startup_probe import ConditionalWritesError, probe_conditional_writes

KEEP_ALIVE_S = 75
PING_S = 20.0
GRACEFUL_SHUTDOWN_S = 10
MAX_SOCKET_MESSAGE_BYTES = 64 * 1024
BAD_ENVIRONMENT = 2
NOT_STARTED = 3
_LOGGER = logging.getLogger("app")


async def _store_is_fit(settings: Settings) -> bool:
    """Each worker asks for itself; but uvicorn ends with 0 when all of them refuse to start."""
    try:
        await probe_conditional_writes(open_r2(settings.r2).objects, Keys(settings.app_env))
    except (AppError, ConditionalWritesError) as error:
        dictConfig(log_config(debug=settings.debug))
        _LOGGER.error("the API does not serve: %s", error)
        return False
    return True


def main() -> int:
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_ENVIRONMENT
    if settings.web_concurrency > 1 and not asyncio.run(_store_is_fit(settings)):
        return NOT_STARTED
    uvicorn.run(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        log_config=log_config(debug=settings.debug),
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
    )
    return 0


if __name__ == "__main__":
    try:
        code = main()
    except SystemExit as ended:
        # uvicorn's way to say that the application refused to start.
        code = ended.code if isinstance(ended.code, int) else NOT_STARTED
    leave(code)

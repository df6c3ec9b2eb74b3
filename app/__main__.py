"""`python -m app`: serve the API as the environment says; a wrong environment exits with 2 and one message."""

import os
import sys

import uvicorn

from app.logs import log_config
from app.settings import SettingsError, load_settings

KEEP_ALIVE_S = 75
PING_S = 20.0
GRACEFUL_SHUTDOWN_S = 10
MAX_SOCKET_MESSAGE_BYTES = 64 * 1024
BAD_ENVIRONMENT = 2


def main() -> int:
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_ENVIRONMENT
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
    sys.exit(main())

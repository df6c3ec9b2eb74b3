"""One line a record on stderr, for the app and for uvicorn alike."""

from typing import Any


def log_config(*, debug: bool) -> dict[str, Any]:
    """For logging.config.dictConfig; requests are logged by the app, so uvicorn's access log is off."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "app": {"level": "DEBUG" if debug else "INFO"},
            "uvicorn": {"level": "INFO"},
            "uvicorn.access": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
        },
    }

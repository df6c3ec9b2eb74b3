"""The libraries that only images for networks have: torch and what builds on it. They are in no lock of this project.

They are imported when they are first used, so that everything else starts without them.
"""

from importlib import import_module
from types import ModuleType

from gpu.render.errors import MediaFailure


def library(name: str, purpose: str) -> ModuleType:
    """Imports `name`; raises MediaFailure `internal` with a sentence that starts with `purpose` when it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        raise MediaFailure("internal", f"{purpose} needs {error.name}, which is not installed here") from error

"""How tests are spread over processes: those of one module stay together, and so does all of the end-to-end story.

They share fixtures, and some build on the one before. (xdist's own `loadgroup` has no effect with pytest 9.)
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_STORY = "tests/e2e/"


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return ONE_STORY if nodeid.startswith(ONE_STORY) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    return ByModule(config, log)

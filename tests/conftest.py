"""What holds for all tests: how they are spread over processes, and that they draw the same examples on every run.

Tests of one module stay together, and so does all of the end-to-end story: they share fixtures, and some build on the
one before. (xdist's own `loadgroup` has no effect with pytest 9.)
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from xdist.scheduler import LoadScopeScheduling

ONE_STORY = "tests/e2e/"

# The seed is the test's name; a busy machine may take long for an example.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return ONE_STORY if nodeid.startswith(ONE_STORY) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    return ByModule(config, log)


@pytest.fixture(scope="module", autouse=True)
def examples_of_their_own() -> Iterator[None]:
    """Without the constants of whatever local modules the process has loaded.

    Hypothesis draws some of its values from them, also when derandomized, so that the examples would change with the
    tests that ran before in the same process, and with every edit of unrelated code.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(providers, "_get_local_constants", Constants)
        yield

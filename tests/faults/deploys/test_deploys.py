"""A deploy of each strategy under 50 requests a second with 20 sockets open: nothing fails, every socket comes back."""

from collections import Counter
from pathlib import Path

import pytest

from tests.faults.deploys.exports import OPPONENT
from tests.faults.deploys.measured import ANSWERS_BEFORE, SOCKETS, Measured, measure_deploy
from tests.faults.deploys.sockets import Listener

pytestmark = pytest.mark.timeout(900)
# Service restart, as uvicorn closes what is open when it is asked to end (RFC 6455 registry).
RESTART = 1012
NORMAL = 1000


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
async def test_no_request_fails_and_every_socket_comes_back(tmp_path: Path, strategy: str) -> None:
    measured = await measure_deploy(tmp_path, strategy)
    assert_served(measured)
    assert measured.versions == {"v2"}
    assert len(measured.listeners) == SOCKETS
    for listener in measured.listeners:
        assert_replayed(listener)


def assert_served(measured: Measured) -> None:
    """Every request was answered well, and every write was done once."""
    assert measured.failures == []
    assert len(measured.answers) > ANSWERS_BEFORE
    assert {answer.call.method for answer in measured.answers} == {"GET", "POST"}
    written = Counter(
        (answer.call.user, str(answer.call.body["opponent"])) for answer in measured.answers if answer.call.body
    )
    found = Counter((user, name) for user, names in measured.games.items() for name in names if name != OPPONENT)
    assert found == written


def assert_replayed(listener: Listener) -> None:
    """It was cut off by the machine's end only, and began each time with where its export was."""
    *cut, last = listener.connections
    assert listener.refused == []
    assert cut
    assert {connection.code for connection in cut} == {RESTART}
    for connection in listener.connections:
        assert connection.messages[0]["type"] == "snapshot"
        assert {message["export"]["id"] for message in connection.messages} == {listener.export_id}
    assert all(set(connection.statuses) == {"running"} for connection in cut)
    assert (last.messages[-1]["type"], last.code) == ("complete", NORMAL)
